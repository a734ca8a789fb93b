#!/usr/bin/env bash
# Runs the README's verification snippets, as they stand there, against the shared signature vectors.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The first fenced block of a language that defines `verify`.
snippet() {
	awk -v fence="\`\`\`$1" '
		$0 == fence { inside = 1; block = ""; next }
		inside && /^```$/ { inside = 0; if (block ~ /verify/) { printf "%s", block; exit } next }
		inside { block = block $0 "\n" }
	' README.md
}

vectors=tests/vectors/signatures.json

{ snippet js; cat <<-'JS'
	const cases = JSON.parse(require('node:fs').readFileSync(process.argv[2], 'utf8'));
	let checked = 0;
	for (const { body, secret, expect } of cases) {
	  if (!expect?.wpresidence) continue;
	  const signature = expect.wpresidence['X-CRM-Signature'];
	  if (!verify(Buffer.from(body), signature, secret)) throw new Error('refused a good signature');
	  if (verify(Buffer.from(body + ' '), signature, secret)) throw new Error('took a changed body');
	  if (verify(Buffer.from(body), undefined, secret)) throw new Error('took no signature');
	  checked++;
	}
	if (checked < 3) throw new Error('too few vectors');
	JS
} > "$work/verify.js"

{ snippet python; cat <<-'PY'

	import json, sys
	checked = 0
	for case in json.load(open(sys.argv[1], encoding="utf-8")):
	    if "wpresidence" not in case.get("expect", {}):
	        continue
	    body, signature = case["body"].encode(), case["expect"]["wpresidence"]["X-CRM-Signature"]
	    assert verify(body, signature, case["secret"]), "refused a good signature"
	    assert not verify(body + b" ", signature, case["secret"]), "took a changed body"
	    assert not verify(body, None, case["secret"]), "took no signature"
	    checked += 1
	assert checked >= 3, "too few vectors"
	PY
} > "$work/verify.py"

{ echo '<?php'; snippet php; cat <<-'PHP'
	$checked = 0;
	foreach (json_decode(file_get_contents($argv[1]), true, 512, JSON_THROW_ON_ERROR) as $case) {
	    if (!isset($case['expect']['wpresidence'])) continue;
	    $signature = $case['expect']['wpresidence']['X-CRM-Signature'];
	    if (!verify($case['body'], $signature, $case['secret'])) exit("refused a good signature\n");
	    if (verify($case['body'] . ' ', $signature, $case['secret'])) exit("took a changed body\n");
	    if (verify($case['body'], null, $case['secret'])) exit("took no signature\n");
	    $checked++;
	}
	echo $checked >= 3 ? 'ok' : "too few vectors\n";
	PHP
} > "$work/verify.php"

node "$work/verify.js" "$vectors"
python3 "$work/verify.py" "$vectors"
[ "$(php "$work/verify.php" "$vectors")" = ok ]
echo '3 passed, 0 failed'
