<?php
echo 'alive';
