# shellcheck shell=bash
# The whole test bed in one line: `source tests/testbed/testbed.sh`. See README.md beside this file.
for part in basics packages downloads rust wordpress database server receiver; do
	# shellcheck source=/dev/null
	source "$(dirname "${BASH_SOURCE[0]}")/$part.sh"
done
unset part
