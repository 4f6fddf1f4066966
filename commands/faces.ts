// `ktool faces`: Apache's tools by their own names.

import * as Flags from '@oclif/core/flags'
import { FACE_NAMES, OTHER_NAMES } from '../src/cli/apache/face-names.ts'
import { KtoolCommand } from '../src/cli/base-command.ts'
import { linkFaces } from '../src/cli/verbs/faces.ts'

export default class Faces extends KtoolCommand {
  static override description =
    "Puts links with the names of Apache's tools (kafka-topics, kafka-topics.sh, …) into a directory. Called by such a name, " +
    'ktool takes the options of that tool, prints what it prints and ends with its exit code. Where a file has such a name ' +
    "and is no link of ktool's, nothing is linked. " +
    `The tools are ${[...FACE_NAMES].sort().join(', ')}; ${Object.keys(OTHER_NAMES).join(' and ')} are names of habit for the same.`

  static override usage = ['faces --dir DIR']

  static override examples = [
    { description: 'For one shell', command: 'ktool faces --dir ~/kafka-bin' },
  ]

  static override flags = {
    dir: Flags.string({ required: true, helpValue: 'DIR', summary: 'The directory; made if it is not there.' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Faces)
    const { directory, names } = await linkFaces(flags.dir, process.argv[1])
    if (this.output.isJson) {
      this.output.json({ directory, names })
      return
    }
    for (const name of names) this.output.line(name)
    this.output.talk(`${names.length} tools, each also with .sh, are in ${directory}; put it on the PATH: export PATH=${directory}:$PATH`)
  }
}
