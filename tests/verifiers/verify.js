'use strict';
// Verifies requests with the libraries that receivers use, none of which is ours. Reads from standard input a list of
// { format, secret, headers, body } and prints for each a list of [library, verdict]: "ok", or why it refuses.

const { Webhook: StandardWebhook } = require('standardwebhooks');
const { Webhook: SvixWebhook } = require('svix');
const Stripe = require('stripe');

// The key is for Stripe's API, which nothing here calls.
const stripe = new Stripe('unused');

const LIBRARIES = {
  'standard-webhooks': {
    standardwebhooks: ({ secret, headers, body }) => new StandardWebhook(secret).verify(body, headers),
    svix: ({ secret, headers, body }) => new SvixWebhook(secret).verify(body, headers),
  },
  stripe: {
    stripe: ({ secret, headers, body }) => stripe.webhooks.constructEvent(body, headers['stripe-signature'], secret),
  },
  github: {
    '@octokit/webhooks-methods': async ({ secret, headers, body }) => {
      const { verify } = await import('@octokit/webhooks-methods');
      if (!(await verify(secret, body, headers['x-hub-signature-256']))) throw new Error('verify() says no');
    },
  },
};

async function verdicts(request) {
  const found = [];
  for (const [library, verify] of Object.entries(LIBRARIES[request.format])) {
    try {
      await verify(request);
      found.push([library, 'ok']);
    } catch (error) {
      found.push([library, error.message.split('\n')[0]]);
    }
  }
  return found;
}

async function main() {
  const requests = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
  process.stdout.write(JSON.stringify(await Promise.all(requests.map(verdicts))));
}

main();
