/* global wpestateCrm */
( function () {
	'use strict';

	// Calls one of the CRM's AJAX actions; what the server says goes to the person if it is an error.
	async function call( action, values ) {
		const body = new FormData();
		body.append( 'action', action );
		body.append( 'security', wpestateCrm.nonces[ action ] );
		for ( const [ name, value ] of Object.entries( values ) ) {
			for ( const one of [ value ].flat() ) {
				body.append( Array.isArray( value ) ? name + '[]' : name, one );
			}
		}
		const answer = await fetch( wpestateCrm.url, { method: 'POST', body, credentials: 'same-origin' } );
		const result = await answer.json().catch( () => ( {} ) );
		if ( ! result.success ) {
			window.alert( result.data?.message || 'The server did not do it (status ' + answer.status + ').' );
			return false;
		}
		return true;
	}

	// Contacts: after all on the page are ticked, offer all that match.
	const form = document.getElementById( 'crm-contacts' );
	if ( form ) {
		const bar = form.querySelector( '.crm-all' );
		const total = Number( form.dataset.total );
		const update = () => {
			const boxes = [ ...form.querySelectorAll( 'input[name="ids[]"]' ) ];
			const all = boxes.length > 0 && boxes.every( ( box ) => box.checked ) && total > boxes.length;
			bar.hidden = ! all;
			if ( ! all ) {
				form.elements.all_matching.value = '0';
			}
			const everything = form.elements.all_matching.value === '1';
			bar.firstElementChild.textContent = everything
				? 'All ' + total.toLocaleString() + ' contacts are selected.'
				: 'The ' + boxes.length + ' contacts on this page are selected.';
			bar.lastElementChild.textContent = everything ? 'Only those on this page' : 'Select all ' + total.toLocaleString() + ' contacts';
		};
		bar.lastElementChild.addEventListener( 'click', () => {
			form.elements.all_matching.value = form.elements.all_matching.value === '1' ? '0' : '1';
			update();
		} );
		// WordPress ticks the rows itself after a click on the heading's box, so look afterwards.
		form.addEventListener( 'click', ( event ) => event.target.type === 'checkbox' && setTimeout( update ) );
		form.addEventListener( 'submit', ( event ) => event.submitter?.name !== 'delete_one' && event.submitter?.setAttribute( 'aria-busy', 'true' ) );
	}

	// Deals: drag, or choose on the card.
	const board = document.querySelector( '.crm-board' );
	if ( board ) {
		let moving = null;
		const count = () => board.querySelectorAll( '.crm-stage' ).forEach( ( stage ) => {
			stage.querySelector( '.crm-count' ).textContent = stage.querySelectorAll( '.crm-card' ).length;
		} );
		const move = async ( card, stage ) => {
			const from = card.parentElement;
			if ( from === stage ) {
				return;
			}
			stage.querySelector( 'h2' ).after( card );
			card.querySelector( 'select' ).value = stage.dataset.stage;
			if ( ! ( await call( 'wpestate_crm_update_deal_stage', { deal_id: card.dataset.deal, stage: stage.dataset.stage } ) ) ) {
				from.append( card );
				card.querySelector( 'select' ).value = from.dataset.stage;
			}
			count();
		};
		board.addEventListener( 'dragstart', ( event ) => {
			moving = event.target.closest( '.crm-card' );
			moving?.classList.add( 'is-moving' );
		} );
		board.addEventListener( 'dragend', () => {
			moving?.classList.remove( 'is-moving' );
			board.querySelectorAll( '.is-target' ).forEach( ( stage ) => stage.classList.remove( 'is-target' ) );
			moving = null;
		} );
		board.addEventListener( 'dragover', ( event ) => {
			const over = event.target.closest( '.crm-stage' );
			if ( moving && over ) {
				event.preventDefault();
				board.querySelectorAll( '.crm-stage' ).forEach( ( stage ) => stage.classList.toggle( 'is-target', stage === over ) );
			}
		} );
		board.addEventListener( 'drop', ( event ) => {
			const stage = event.target.closest( '.crm-stage' );
			if ( moving && stage ) {
				event.preventDefault();
				move( moving, stage );
			}
		} );
		board.addEventListener( 'change', ( event ) => {
			const card = event.target.closest( '.crm-card' );
			move( card, board.querySelector( '[data-stage="' + event.target.value + '"]' ) );
		} );
	}

	// Leads and tasks: buttons that name their action, with their values in data-crm-*.
	document.addEventListener( 'change', ( event ) => {
		if ( event.target.matches( '[data-crm-all]' ) ) {
			document.querySelectorAll( '[data-crm-id]' ).forEach( ( box ) => { box.checked = event.target.checked; } );
		}
	} );
	document.addEventListener( 'click', async ( event ) => {
		const button = event.target.closest( '[data-crm-do]' );
		if ( ! button ) {
			return;
		}
		const values = {};
		for ( const { name, value } of button.attributes ) {
			const id = name.match( /^data-crm-(\w+_id)$/ );
			if ( id ) {
				values[ id[ 1 ] ] = value;
			}
		}
		if ( button.hasAttribute( 'data-crm-selected' ) ) {
			values.ids = [ ...document.querySelectorAll( '[data-crm-id]:checked' ) ].map( ( box ) => box.dataset.crmId );
			if ( ! values.ids.length ) {
				window.alert( 'Select some leads first.' );
				return;
			}
		}
		const from = button.getAttribute( 'data-crm-status-from' );
		if ( from ) {
			values.status = document.getElementById( from ).value;
		}
		button.disabled = true;
		if ( await call( button.dataset.crmDo, values ) ) {
			window.location.reload();
		} else {
			button.disabled = false;
		}
	} );
}() );
