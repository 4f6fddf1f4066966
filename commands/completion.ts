// `ktool completion`: what a shell needs to complete ktool's words.

import * as Args from '@oclif/core/args'
import { KtoolCommand } from '../src/cli/base-command.ts'
import { completionScript, SHELLS } from '../src/cli/completion.ts'

export default class Completion extends KtoolCommand {
  static override description =
    'Prints a script for the shell. Commands, actions and flags complete; so do the topics, groups and contexts that are known on ' +
    'this machine: a cluster elsewhere is never asked.'

  static override usage = ['completion bash|zsh|fish']

  static override examples = [
    { description: 'In ~/.bashrc', command: 'source <(ktool completion bash)' },
    { description: 'In ~/.zshrc, behind compinit', command: 'source <(ktool completion zsh)' },
    { description: 'For fish', command: 'ktool completion fish > ~/.config/fish/completions/ktool.fish' },
  ]

  static override args = {
    shell: Args.string({ required: true, options: [...SHELLS], description: 'bash, zsh or fish' }),
  }

  async run(): Promise<void> {
    const { args } = await this.parse(Completion)
    const shell = SHELLS.find((shell) => shell === args.shell) ?? 'bash'
    await this.output.write(completionScript(shell))
  }
}
