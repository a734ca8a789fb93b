<?php
/**
 * An endpoint's filters as rows of field, operator and value, and what they would have done to the last events.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** Rows left free for more; with JavaScript one, and a button adds others. */
const POSTHORN_FREE_ROWS = 3;

/** So many events are tried, found among so many deliveries. */
const POSTHORN_TRIED_EVENTS     = 10;
const POSTHORN_TRIED_DELIVERIES = 200;

/**
 * The operators as the owner reads them.
 *
 * @return array<string,string>
 */
function posthorn_filter_operators(): array {
	return array(
		'eq'  => __( 'is', 'posthorn' ),
		'ne'  => __( 'is not', 'posthorn' ),
		'gt'  => __( 'is more than', 'posthorn' ),
		'gte' => __( 'is at least', 'posthorn' ),
		'lt'  => __( 'is less than', 'posthorn' ),
		'lte' => __( 'is at most', 'posthorn' ),
		'in'  => __( 'is one of', 'posthorn' ),
		'nin' => __( 'is none of', 'posthorn' ),
	);
}

/**
 * Filters as rows.
 *
 * @param array $filters Field => condition.
 * @return array[] Each with field, operator and value, all texts.
 */
function posthorn_filter_rows( array $filters ): array {
	$rows = array();
	foreach ( $filters as $field => $condition ) {
		$tests = is_array( $condition ) ? $condition : array( 'eq' => $condition );
		// A condition without an operator, which a program can store, is shown all the same: it holds for nothing.
		foreach ( array_is_list( $tests ) ? array( '' => '' ) : $tests as $operator => $value ) {
			$list   = in_array( $operator, array( 'in', 'nin' ), true ) && is_array( $value ) && array_is_list( $value );
			$rows[] = array(
				'field'    => (string) $field,
				'operator' => (string) $operator,
				'value'    => $list ? posthorn_filter_list_text( $value ) : posthorn_filter_text( $value ),
			);
		}
	}
	return $rows;
}

/**
 * Rows as filters.
 *
 * @param array[]              $rows     Each with field, operator and value; empty ones are left out.
 * @param array<string,string> $mistakes Field => message; is added to.
 * @return array Field => condition.
 */
function posthorn_filters_of_rows( array $rows, array &$mistakes ): array {
	$filters = array();
	foreach ( $rows as $row ) {
		$field = trim( $row['field'] );
		$value = trim( $row['value'] );
		if ( '' === $field && '' === $value ) {
			continue;
		}
		if ( '' === $field ) {
			/* translators: %s: what was typed. */
			$mistakes['filters'] = sprintf( __( 'Which field is to be compared with “%s”?', 'posthorn' ), $value );
		} elseif ( '' === $row['operator'] ) {
			$filters[ $field ] = $filters[ $field ] ?? array();
		} elseif ( isset( $filters[ $field ][ $row['operator'] ] ) ) {
			/* translators: 1: name of a field, 2: such as “is not”. */
			$mistakes['filters'] = sprintf( __( '“%1$s %2$s” is there twice. Name several values in one line, with “is one of” or “is none of”.', 'posthorn' ), $field, posthorn_filter_operators()[ $row['operator'] ] ?? $row['operator'] );
		} elseif ( '' === $value && ! in_array( $row['operator'], array( 'eq', 'ne' ), true ) ) {
			/* translators: %s: name of a field. */
			$mistakes['filters'] = sprintf( __( 'Enter what “%s” is to be compared with.', 'posthorn' ), $field );
		} else {
			$filters[ $field ][ $row['operator'] ] = in_array( $row['operator'], array( 'in', 'nin' ), true ) ? posthorn_filter_list( $value ) : posthorn_filter_value( $value );
		}
	}
	// As Winnerr's API writes it.
	return array_map( static fn( array $tests ) => array( 'eq' ) === array_keys( $tests ) && ! is_array( $tests['eq'] ) ? $tests['eq'] : $tests, $filters );
}

/**
 * A typed value: a number, true, false or null if it reads as one, text otherwise. In quotation marks it is text.
 *
 * @param string $text What was typed.
 * @return mixed
 */
function posthorn_filter_value( string $text ) {
	$value = json_decode( $text, true, 32, JSON_BIGINT_AS_STRING );
	return null === $value && 'null' !== $text ? $text : $value;
}

/**
 * A typed list: values with commas between them, or JSON.
 *
 * @param string $text What was typed.
 */
function posthorn_filter_list( string $text ): array {
	$list = json_decode( $text, true, 32, JSON_BIGINT_AS_STRING );
	if ( is_array( $list ) && array_is_list( $list ) ) {
		return $list;
	}
	// Possessive: with a long text PCRE would run out of stack.
	preg_match_all( '/\s*("(?:[^"\\\\]++|\\\\.)*+"|[^,]+)\s*(?:,|$)/', $text, $found );
	return array_map( static fn( string $one ) => posthorn_filter_value( trim( $one ) ), $found[1] );
}

/**
 * A value as it is typed.
 *
 * @param mixed $value A value of a condition.
 */
function posthorn_filter_text( $value ): string {
	$plain = is_string( $value ) && trim( $value ) === $value && posthorn_filter_value( $value ) === $value;
	return $plain ? $value : (string) wp_json_encode( $value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION );
}

/**
 * A list as it is typed.
 *
 * @param array $values Values of a condition.
 */
function posthorn_filter_list_text( array $values ): string {
	$texts = array_map( 'posthorn_filter_text', $values );
	foreach ( $texts as $n => $text ) {
		if ( is_array( $values[ $n ] ) || '' === $text ) {
			return (string) wp_json_encode( $values, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE );
		}
		if ( is_string( $values[ $n ] ) && $text === $values[ $n ] && preg_match( '/[",]/', $text ) ) {
			$texts[ $n ] = (string) wp_json_encode( $text, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE );
		}
	}
	return implode( ', ', $texts );
}

/**
 * The last events that an endpoint with some subscriptions would have been offered; where nothing has happened yet, samples.
 *
 * @param array  $events What it subscribes to.
 * @param mixed  $format Its format: a name, or a definition.
 * @return array{0:array[],1:bool} Events, each with event, record, created_at and data; and whether they are samples.
 */
function posthorn_events_to_try( array $events, $format ): array {
	$wanted = posthorn_client_wanted( $events, '' === $format ? null : $format );
	$found  = array();
	foreach ( posthorn_client_deliveries( array( 'limit' => POSTHORN_TRIED_DELIVERIES ) ) as $delivery ) {
		if ( count( $found ) < POSTHORN_TRIED_EVENTS && ! isset( $found[ $delivery['event_id'] ] ) && in_array( $delivery['event'], $wanted, true ) ) {
			$whole = posthorn_client_delivery( $delivery['id'] );

			$found[ $delivery['event_id'] ] = $delivery + array( 'data' => $whole['data'] ?? array() );
		}
	}
	if ( array() !== $found ) {
		return array( array_values( $found ), false );
	}
	foreach ( array_slice( $wanted, 0, POSTHORN_TRIED_EVENTS ) as $name ) {
		$found[] = array(
			'event'      => $name,
			'record'     => '',
			'created_at' => null,
			'data'       => posthorn_client_sample( $name ),
		);
	}
	return array( $found, true );
}

/**
 * What filters would have done to the last events, as HTML.
 *
 * @param array  $filters Field => condition.
 * @param array  $events  What the endpoint subscribes to.
 * @param string $format  Its format.
 */
function posthorn_tried_filters( array $filters, array $events, $format ): string {
	try {
		list( $tried, $samples ) = posthorn_events_to_try( $events, $format );
		$answer                  = posthorn_client_try_filters( $filters, array_map( static fn( array $one ): array => array( $one['event'], $one['data'] ), $tried ) );
	} catch ( \Throwable $error ) {
		return posthorn_result_message( ucfirst( posthorn_readable( $error->getMessage() ) ) );
	}
	$html = '';
	foreach ( $answer['warnings'] as $warning ) {
		/* translators: 1: name of a field, 2: a reason. */
		$html .= '<div class="notice notice-warning inline"><p>' . esc_html( sprintf( __( 'The condition on %1$s holds for nothing, so no event would be sent: %2$s.', 'posthorn' ), $warning['field'], $warning['why'] ) ) . '</p></div>';
	}
	if ( array() === $tried ) {
		return $html . '<p>' . esc_html__( 'None of the chosen events has happened yet.', 'posthorn' ) . '</p>';
	}
	$passed = count( array_filter( $answer['passes'] ) );
	$title  = $samples
		/* translators: 1, 2: numbers. */
		? __( 'None of the chosen events has happened yet. Of %2$s samples, %1$s would be sent:', 'posthorn' )
		/* translators: 1, 2: numbers. */
		: __( 'Of the last %2$s events, %1$s would have been sent:', 'posthorn' );
	$html  .= '<p><strong>' . esc_html( sprintf( $title, number_format_i18n( $passed ), number_format_i18n( count( $tried ) ) ) ) . '</strong></p><ul class="posthorn-tried">';
	foreach ( $tried as $n => $one ) {
		$html .= sprintf(
			'<li class="%s"><span class="posthorn-state posthorn-state-%s">%s</span> <code>%s</code> <span>%s</span></li>',
			$answer['passes'][ $n ] ? 'posthorn-passes' : 'posthorn-stays',
			$answer['passes'][ $n ] ? 'delivered' : 'cancelled',
			$answer['passes'][ $n ] ? esc_html__( 'Sent', 'posthorn' ) : esc_html__( 'Kept back', 'posthorn' ),
			esc_html( $one['event'] ),
			esc_html( implode( ', ', array_filter( array( (string) $one['record'], posthorn_local_time( $one['created_at'] ) ) ) ) )
		);
	}
	return $html . '</ul>';
}

/**
 * Prints the rows.
 *
 * @param array[]              $rows     Each with field, operator and value.
 * @param string[]             $fields   Names that are offered.
 * @param array<string,string> $mistakes Field => message.
 * @param string               $tried    What posthorn_tried_filters() returned; empty if nothing was tried.
 */
function posthorn_print_filter_rows( array $rows, array $fields, array $mistakes, string $tried ): void {
	echo '<p class="description" id="posthorn-filters-help">' . esc_html__( 'Only events whose record meets all conditions are sent. Without a condition, all are.', 'posthorn' ) . '</p>';
	$rows = array_values( array_filter( $rows, static fn( array $row ): bool => '' !== $row['field'] . $row['value'] ) );
	echo '<div class="posthorn-rows" id="posthorn-filter-rows">';
	for ( $n = 0; $n < count( $rows ) + POSTHORN_FREE_ROWS; $n++ ) { // phpcs:ignore Squiz.PHP.DisallowSizeFunctionsInLoops -- It does not change.
		$row = $rows[ $n ] ?? array( 'field' => '', 'operator' => 'eq', 'value' => '' ); // phpcs:ignore WordPress.Arrays
		posthorn_print_filter_row( $n, $row, isset( $mistakes['filters'] ) );
	}
	echo '</div><datalist id="posthorn-fields">';
	foreach ( $fields as $field ) {
		echo '<option value="' . esc_attr( $field ) . '">';
	}
	echo '</datalist>';
	posthorn_print_mistake( 'filters', $mistakes );
	echo '<p><button type="button" class="button hide-if-no-js" data-posthorn-add="posthorn-filter-rows">' . esc_html__( 'Add a condition', 'posthorn' ) . '</button> ';
	echo '<button class="button" name="posthorn_try" value="1" formaction="#posthorn-tried" data-posthorn-part="posthorn-tried">' . esc_html__( 'Try on the last events', 'posthorn' ) . '</button></p>';
	echo '<div id="posthorn-tried" class="posthorn-tried-box" aria-live="polite" tabindex="-1">' . wp_kses_post( $tried ) . '</div>';
	echo '<details class="posthorn-more"><summary>' . esc_html__( 'How values are compared', 'posthorn' ) . '</summary><ul>';
	foreach ( posthorn_filter_help() as $line ) {
		echo '<li>' . wp_kses( $line, array( 'code' => array() ) ) . '</li>';
	}
	echo '</ul></details>';
}

/**
 * What there is to know about comparing, in lines.
 *
 * @return string[]
 */
function posthorn_filter_help(): array {
	return array(
		__( 'A field is named as in the webhook’s data: <code>status</code>, or <code>address.city</code> for one within another. <code>contact.status</code> means the status of a contact.', 'posthorn' ),
		__( 'Type and value must be the same: <code>5</code> is a number and <code>"5"</code>, in quotation marks, a text. Upper and lower case differ.', 'posthorn' ),
		__( 'Lists have commas: <code>Active, Hot</code>. Also <code>true</code>, <code>false</code> and <code>null</code> are meant as such.', 'posthorn' ),
		__( 'A field that the record does not have meets only “is not” and “is none of”.', 'posthorn' ),
	);
}

/**
 * Prints a row.
 *
 * @param int    $n       Its number.
 * @param array  $row     Field, operator and value.
 * @param bool   $mistake Whether something is wrong with the conditions.
 */
function posthorn_print_filter_row( int $n, array $row, bool $mistake ): void {
	$operators = posthorn_filter_operators();
	if ( ! isset( $operators[ $row['operator'] ] ) ) {
		$operators[ $row['operator'] ] = '' === $row['operator'] ? __( '(no operator)', 'posthorn' ) : $row['operator'];
	}
	$text = '<label><span>%1$s</span> <input type="text" class="code" name="filters[%2$d][%3$s]" value="%4$s"%5$s autocomplete="off" autocapitalize="off" spellcheck="false" aria-describedby="posthorn-filters-mistake posthorn-filters-help"%6$s></label>';
	echo '<div class="posthorn-row">';
	printf( $text, esc_html__( 'Field', 'posthorn' ), (int) $n, 'field', esc_attr( $row['field'] ), ' list="posthorn-fields"', $mistake ? ' aria-invalid="true"' : '' ); // phpcs:ignore WordPress.Security.EscapeOutput
	printf( '<label><span>%s</span> <select name="filters[%d][operator]">', esc_html__( 'Condition', 'posthorn' ), (int) $n );
	foreach ( $operators as $operator => $name ) {
		printf( '<option value="%s"%s>%s</option>', esc_attr( $operator ), selected( $operator, $row['operator'], false ), esc_html( $name ) );
	}
	echo '</select></label>';
	printf( $text, esc_html__( 'Value', 'posthorn' ), (int) $n, 'value', esc_attr( $row['value'] ), '', $mistake ? ' aria-invalid="true"' : '' ); // phpcs:ignore WordPress.Security.EscapeOutput
	echo '</div>';
}

/**
 * The names of fields that some events have, from their samples.
 *
 * @param array  $events What the endpoint subscribes to.
 * @param mixed  $format Its format: a name, or a definition.
 * @return string[]
 */
function posthorn_fields_of_events( array $events, $format ): array {
	$fields = array();
	foreach ( posthorn_client_wanted( $events, '' === $format ? null : $format ) as $name ) {
		foreach ( posthorn_client_sample( $name ) as $field => $value ) {
			$fields[ $field ] = true;
			foreach ( is_array( $value ) && ! array_is_list( $value ) ? array_keys( $value ) : array() as $inner ) {
				$fields[ "$field.$inner" ] = true;
			}
		}
	}
	$names = array_map( 'strval', array_keys( $fields ) );
	sort( $names );
	return $names;
}
