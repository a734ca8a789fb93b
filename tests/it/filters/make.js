'use strict';
// Makes table.json, by which tests/it/filter.rs tries every operator of a filter: run `node make.js > table.json` here.
// The comparisons are Node's own, so the table says what JavaScript does and not what Posthorn thinks that it does.

const { isDeepStrictEqual } = require('node:util');

const VALUES = [
  null, true, false, 0, 1, -1, 5, 10, 9, 1.5, 70, 1e21, 1e-7, 9007199254740991, 0.1, 255, 2e300,
  '', ' ', '0', '1', '-1', '5', '5.0', '05', '+5', '5.', '.5', '1e1', '1_0', '10', '9', '70', '7e1', ' 70\n', '\ufeff70', '\u008570',
  '0x46', '0X46', '-0x46', '0b101', '0o17', '0b', '0x1p3', '0xg', '0x20000000000001', '0x20000000000003',
  '0x' + '8'.repeat(40) + '1', '0x' + 'f'.repeat(300), '0b1' + '0'.repeat(52) + '1' + '0'.repeat(80) + '1',
  'Infinity', '-Infinity', '+Infinity', 'infinity', 'inf', 'nan', 'NaN', '1e400', '-', 'e5', '.', 'true', 'null', 'a', 'A', 'b', 'aa', 'é', 'z',
  '\uffee', '\u{1f600}', 'Active', 'active', '2026-01-01', '2025-12-31', '[object Object]', '1,2',
  [], [5], ['5'], [1, 2], [null], [null, null], [[5]], [true], [1e21], {}, { a: 1 }, { a: '1' }, [{}],
];

const OPERATORS = {
  eq: (field, operand) => isDeepStrictEqual(field, operand),
  ne: (field, operand) => !isDeepStrictEqual(field, operand),
  gt: (field, operand) => field > operand,
  gte: (field, operand) => field >= operand,
  lt: (field, operand) => field < operand,
  lte: (field, operand) => field <= operand,
  in: (field, operand) => [operand, 'other'].some((one) => isDeepStrictEqual(field, one)),
  nin: (field, operand) => ![operand, 'other'].some((one) => isDeepStrictEqual(field, one)),
};

// The letters of rows[operator][at of the field's value] are for the operands, in the order of `values`; 1 is "holds".
const rows = {};
for (const [name, holds] of Object.entries(OPERATORS)) {
  rows[name] = VALUES.map((field) => VALUES.map((operand) => (holds(field, operand) ? '1' : '0')).join(''));
}

const lines = (list) => '[\n' + list.map((one) => '    ' + JSON.stringify(one)).join(',\n') + '\n  ]';
const parts = Object.entries(rows).map(([name, list]) => `  ${JSON.stringify(name)}: ${lines(list)}`);
process.stdout.write(`{\n  "values": ${lines(VALUES)},\n${parts.join(',\n')}\n}\n`);
