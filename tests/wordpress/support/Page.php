<?php
/**
 * @package Posthorn\Tests
 */

namespace Posthorn\Tests;

/**
 * A page as a visitor got it.
 */
final class Page {

	public string $address;
	public int $status;
	public string $html;
	private ?\DOMXPath $path = null;

	public function __construct( string $address, int $status, string $html ) {
		$this->address = $address;
		$this->status  = $status;
		$this->html    = $html;
	}

	/** Elements by XPath. */
	public function find( string $expression ): array {
		if ( null === $this->path ) {
			$document = new \DOMDocument();
			// Without the declaration, libxml reads the page as Latin-1; at a NUL, which browsers replace, it stops.
			@$document->loadHTML( '<?xml encoding="UTF-8">' . str_replace( "\0", "\u{FFFD}", $this->html ) );
			$this->path = new \DOMXPath( $document );
		}
		return iterator_to_array( $this->path->query( $expression ) );
	}

	/** The text of the first element that an XPath finds, white space made single; empty if there is none. */
	public function text( string $expression ): string {
		$found = $this->find( $expression );
		return array() === $found ? '' : trim( preg_replace( '/\s+/u', ' ', $found[0]->textContent ) );
	}

	/** The text of an element by its id. */
	public function text_of( string $id ): string {
		return $this->text( "//*[@id='$id']" );
	}

	/**
	 * The fields of the form that contains an element, as a browser would post them unchanged; no buttons.
	 *
	 * @param string $expression XPath of something inside the form.
	 */
	public function fields( string $expression ): array {
		$form = $this->find( "($expression)[1]/ancestor::form" )[0] ?? null;
		if ( null === $form ) {
			throw new \RuntimeException( "no form with $expression on $this->address: " . substr( $this->text( '//body' ), 0, 2000 ) );
		}
		$pairs = array();
		foreach ( $this->path->query( './/input[@name]|.//textarea[@name]|.//select[@name]', $form ) as $field ) {
			$type = strtolower( $field->getAttribute( 'type' ) );
			if ( in_array( $type, array( 'submit', 'button', 'reset', 'file' ), true ) || $field->hasAttribute( 'disabled' ) ) {
				continue;
			}
			if ( in_array( $type, array( 'checkbox', 'radio' ), true ) && ! $field->hasAttribute( 'checked' ) ) {
				continue;
			}
			$value = 'textarea' === $field->nodeName ? $field->textContent : $field->getAttribute( 'value' );
			if ( 'select' === $field->nodeName ) {
				$option = $this->path->query( './/option[@selected]', $field )[0] ?? $this->path->query( './/option', $field )[0] ?? null;
				$value  = null === $option ? '' : $option->getAttribute( 'value' );
			}
			$pairs[] = rawurlencode( $field->getAttribute( 'name' ) ) . '=' . rawurlencode( 'checkbox' === $type && '' === $value ? 'on' : $value );
		}
		parse_str( implode( '&', $pairs ), $fields );
		return $fields;
	}

	/** Where the form that contains an element is posted to. */
	public function form_target( string $expression ): string {
		$action = $this->find( "($expression)[1]/ancestor::form" )[0]->getAttribute( 'action' );
		if ( '' === $action ) {
			return $this->address;
		}
		return str_starts_with( $action, 'http' ) ? $action : \WP_Http::make_absolute_url( $action, $this->address );
	}
}
