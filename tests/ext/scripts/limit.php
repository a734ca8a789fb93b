<?php
// pages/limit.php at the command line: argv[1] is the queue, argv[2] how.
$_GET = [ 'queue' => $argv[1], 'limit' => 1, 'seconds' => 'idle' === $argv[2] ? 2 : 8, 'how' => $argv[2] ];
require __DIR__ . '/pages/limit.php';
