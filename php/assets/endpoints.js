/* The forms of an endpoint: rows are added, and buttons answer without leaving the page. Without JavaScript there are free rows, and
   the buttons load the page anew. */
( function () {
	'use strict';

	const form = document.querySelector( '#posthorn-endpoint-form, #posthorn-form' );
	if ( ! form ) {
		return;
	}

	function isFree( row ) {
		return Array.from( row.querySelectorAll( 'input:not([type=hidden])' ) ).every( ( field ) => field.value === '' );
	}

	// One free row is enough where a button adds others.
	function keepOneFree( rows ) {
		const free = Array.from( rows.children ).filter( isFree );
		free.slice( 1 ).forEach( ( row ) => row.remove() );
	}

	function addRow( rows ) {
		const row  = rows.lastElementChild.cloneNode( true );
		const next = 1 + Math.max( ...Array.from( rows.querySelectorAll( '[name]' ), ( field ) => Number( field.name.match( /\[(\d+)\]/ )[ 1 ] ) ) );
		for ( const field of row.querySelectorAll( '[name]' ) ) {
			field.name        = field.name.replace( /\[\d+\]/, '[' + next + ']' );
			field.placeholder = '';
			if ( field.tagName === 'SELECT' ) {
				field.selectedIndex = 0;
			} else {
				field.value = '';
			}
		}
		rows.append( row );
		row.querySelector( 'input' ).focus();
	}

	// What the page would show in one place, if the button had loaded it anew.
	async function replacePart( button ) {
		const id   = button.dataset.posthornPart;
		const data = new FormData( form );
		data.set( button.name, button.value );
		button.setAttribute( 'aria-disabled', 'true' );
		try {
			const response = await fetch( form.action, { method: 'POST', body: data, credentials: 'same-origin' } );
			const page     = new DOMParser().parseFromString( await response.text(), 'text/html' );
			document.getElementById( id ).replaceWith( document.importNode( page.getElementById( id ), true ) );
			for ( const place of page.querySelectorAll( '.posthorn-mistake' ) ) {
				document.getElementById( place.id ).textContent = place.textContent;
				document.getElementById( place.id ).hidden      = place.hidden;
				if ( ! place.hidden ) {
					document.getElementById( place.id ).closest( 'details' )?.setAttribute( 'open', '' );
				}
			}
			// The button may have been in it, and the keyboard's focus on the button.
			if ( ! button.isConnected ) {
				form.elements[ button.name ]?.focus();
			}
			document.getElementById( id ).scrollIntoView( { block: 'nearest' } );
		} catch ( error ) {
			document.getElementById( id ).textContent = window.posthornWords.noAnswer;
		}
		button.removeAttribute( 'aria-disabled' );
	}

	form.addEventListener(
		'click',
		function ( event ) {
			const button = event.target.closest( 'button' );
			if ( ! button ) {
				return;
			}
			if ( button.dataset.posthornAdd ) {
				addRow( document.getElementById( button.dataset.posthornAdd ) );
			} else if ( button.dataset.posthornPart ) {
				event.preventDefault();
				if ( button.getAttribute( 'aria-disabled' ) !== 'true' ) {
					replacePart( button );
				}
			}
		}
	);

	// Who ticks an event means "only these".
	form.addEventListener(
		'input',
		function ( event ) {
			if ( form.elements.all_events && ( event.target.name === 'events[]' || event.target.name === 'other_events' ) ) {
				form.elements.all_events.value = '0';
			}
		}
	);

	form.querySelectorAll( '.posthorn-rows' ).forEach( keepOneFree );
}() );
