<?php
// Starts a program, which forks, and says so.
proc_close( proc_open( [ 'true' ], [], $pipes ) );
echo 'forked';
