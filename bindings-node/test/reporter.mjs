// Tells of failures, and how many tests there were: thousands of vectors pass in silence.

import { inspect } from 'node:util';

export default async function* report(source) {
  for await (const { type, data } of source) {
    const error = data?.details?.error;
    // A suite fails with its tests, which have told already.
    if (type === 'test:fail' && error?.failureType !== 'subtestsFailed')
      yield `FAILED ${data.name} (${data.file})\n${inspect(error?.cause ?? error)}\n`;
    else if (type === 'test:diagnostic') yield `# ${data.message}\n`;
    else if (type === 'test:stdout' || type === 'test:stderr') yield data.message;
  }
}
