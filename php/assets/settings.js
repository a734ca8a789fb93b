/* The settings page: the test without leaving the page, and a good secret. Everything else works without JavaScript. */
( function () {
	'use strict';

	const form = document.getElementById( 'posthorn-form' );
	if ( ! form ) {
		return;
	}
	const words      = window.posthornWords;
	const result     = document.getElementById( 'posthorn-result' );
	const testButton = form.elements.posthorn_test;
	const url        = document.getElementById( 'posthorn-url' );
	const secret     = document.getElementById( 'posthorn-secret' );

	function say( text ) {
		const paragraph       = document.createElement( 'p' );
		paragraph.textContent = text;
		result.replaceChildren( paragraph );
	}

	function showMistakes( mistakes ) {
		for ( const field of [ 'url', 'events', 'secret', 'test_data' ] ) {
			const place       = document.getElementById( 'posthorn-' + field + '-mistake' );
			place.textContent = mistakes[ field ] || '';
			place.hidden      = ! mistakes[ field ];
		}
		for ( const [ field, input ] of [ [ 'url', url ], [ 'secret', secret ] ] ) {
			input.setAttribute( 'aria-invalid', String( Boolean( mistakes[ field ] ) ) );
		}
	}

	async function test( event ) {
		event.preventDefault();
		const data = new FormData( form );
		data.set( 'action', 'posthorn_test' );
		// Not `disabled`: the button would lose the keyboard's focus.
		testButton.setAttribute( 'aria-disabled', 'true' );
		say( words.sending );
		try {
			const response = await fetch( window.ajaxurl, { method: 'POST', body: data, credentials: 'same-origin' } );
			const answer   = await response.json();
			showMistakes( answer.data.mistakes || {} );
			result.innerHTML = answer.data.html; // Escaped by the server.
			// The button may be the last thing in the window.
			result.scrollIntoView( { block: 'nearest' } );
		} catch ( error ) {
			say( words.noAnswer );
		}
		testButton.removeAttribute( 'aria-disabled' );
	}

	testButton.addEventListener(
		'click',
		function ( event ) {
			if ( testButton.getAttribute( 'aria-disabled' ) === 'true' ) {
				event.preventDefault();
				return;
			}
			test( event );
		}
	);

	result.addEventListener(
		'click',
		function ( event ) {
			const button = event.target.closest( '[name="use_address"]' );
			if ( button ) {
				event.preventDefault(); // Without JavaScript the page puts it in.
				url.value = button.value;
				url.focus();
				say( words.useThis );
			}
		}
	);

	document.getElementById( 'posthorn-make-secret' ).addEventListener(
		'click',
		function () {
			const bytes  = crypto.getRandomValues( new Uint8Array( 32 ) );
			secret.value = Array.from( bytes, ( byte ) => byte.toString( 16 ).padStart( 2, '0' ) ).join( '' );
			secret.type  = 'text';
			secret.select();
			if ( form.elements.remove_secret ) {
				form.elements.remove_secret.checked = false;
			}
			document.getElementById( 'posthorn-copy' ).textContent = words.copy;
		}
	);
}() );
