<?php
// Prints how many threads this process has after it has used the extension without a queue.
Posthorn\events();
Posthorn\formats();
echo count( glob( '/proc/self/task/*' ) );
