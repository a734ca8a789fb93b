'use strict';
// One process and one browser for all, in this order: the first save comes before what needs a receiver.

require('./tests/settings');
require('./tests/test-button');
require('./tests/keyboard');
require('./tests/without-script');
require('./tests/crm');
require('./tests/failure');
require('./tests/bulk');
require('./tests/endpoints');
require('./tests/take-over');
require('./tests/look');
