// A disk that keeps only what was promised: when the machine is cut, every byte not synced is forgotten, and every file
// made, renamed or removed in a directory not synced since. Real file systems are kinder (ext4 keeps most of it by
// accident), so code that passes on them may still be wrong. With `tear`, sectors of 512 bytes that were written but not
// synced are kept or lost one by one instead, as a real device does.

import { nodeDisk } from '../../src/storage/node-disk.ts'
import { type Disk, type DiskEntry, DiskError, type DiskFile, type DiskStat } from '../../src/storage/disk.ts'

const SECTOR = 512

type Change = { readonly at: number; readonly bytes: Buffer } | { readonly truncateTo: number }

class FileNode {
  readonly kind = 'file'
  live: Buffer = Buffer.alloc(0)
  durable: Buffer = Buffer.alloc(0)
  changes: Change[] = [] // from durable to live
}

class DirectoryNode {
  readonly kind = 'directory'
  live = new Map<string, Node>()
  durable = new Map<string, Node>()
}

type Node = FileNode | DirectoryNode

export interface SimulatedDiskOptions {
  /** Decides what is torn and how long syncs take; 0 ≤ x < 1. */
  readonly random?: () => number
  readonly tear?: boolean
  /** Bytes in all files together. */
  readonly capacity?: number
}

export class SimulatedMachine {
  /** Operations so far that change something or make it durable. */
  operations = 0
  /** The machine is cut when so many operations have begun. */
  cutAt = Infinity
  capacity: number
  /** Called before each such operation; throw a DiskError to make it fail. */
  fault: ((operation: string, path: string) => unknown) | undefined
  isOff = false
  readonly #random: () => number
  readonly #tear: boolean
  readonly #root = new DirectoryNode()
  readonly #locks = new Set<string>()
  #life = 0
  #pending = new Set<(error: Error) => void>()

  constructor({ random = () => 0.5, tear = false, capacity = Infinity }: SimulatedDiskOptions = {}) {
    this.#random = random
    this.#tear = tear
    this.capacity = capacity
  }

  /** The disk as the present life of the machine sees it. */
  get disk(): Disk {
    const life = this.#life
    const begin = (operation: string, path: string, changes = true) => this.#begin(life, operation, path, changes)
    return {
      open: (path, mode) => {
        begin('open', path, mode === 'create')
        return this.#open(life, path, mode)
      },
      stat: (path) => {
        begin('stat', path, false)
        return this.#stat(path)
      },
      list: (path) => {
        begin('list', path, false)
        return [...this.#directory(path).live]
          .map(([name, node]): DiskEntry => ({ name, kind: node.kind }))
          .sort((a, b) => (a.name < b.name ? -1 : 1))
      },
      makeDirectory: (path) => {
        begin('makeDirectory', path)
        let node = this.#root
        for (const name of parts(path)) {
          const next = node.live.get(name) ?? new DirectoryNode()
          if (next.kind !== 'directory') throw new DiskError('exists', path, 'ENOTDIR', `ENOTDIR ${path}`)
          node.live.set(name, next)
          node = next
        }
      },
      rename: (from, to) => {
        begin('rename', from)
        const [source, name] = this.#parent(from)
        const node = source.live.get(name) ?? missing(from)
        source.live.delete(name)
        const [target, newName] = this.#parent(to)
        target.live.set(newName, node)
      },
      remove: (path) => {
        begin('remove', path)
        const [parent, name] = this.#parent(path)
        parent.live.delete(name)
      },
      removeDirectory: (path) => {
        begin('removeDirectory', path)
        const [parent, name] = this.#parent(path)
        parent.live.delete(name)
      },
      syncDirectory: async (path) => {
        begin('syncDirectory', path)
        const node = this.#directory(path)
        const entries = new Map(node.live)
        await this.#later(() => (node.durable = entries))
      },
      readSettingsFile: (path) => nodeDisk.readSettingsFile(path, Infinity),
      freeBytes: () => this.capacity - this.#used(this.#root),
      lock: (path) => {
        if (this.#locks.has(path)) throw new DiskError('locked', path, 'EAGAIN', `${path} is locked`)
        if (this.#stat(path) === undefined) this.#parent(path)[0].live.set(path.slice(path.lastIndexOf('/') + 1), new FileNode())
        this.#locks.add(path)
        return { release: () => life === this.#life && this.#locks.delete(path) }
      },
    }
  }

  /** Cuts the power if it is on, and starts the machine again with what was durable. */
  restart(): void {
    this.#cut()
    this.#life++
    this.isOff = false
    this.cutAt = Infinity
    this.#locks.clear()
    this.#forget(this.#root)
  }

  /** As restart, but only the process dies: everything written is there. */
  kill(): void {
    this.#cut()
    this.#life++
    this.isOff = false
    this.cutAt = Infinity
    this.#locks.clear()
  }

  #cut(): void {
    this.isOff = true
    const pending = this.#pending
    this.#pending = new Set()
    for (const reject of pending) reject(new DiskError('failed', '', 'EIO', 'the machine is off'))
  }

  #begin(life: number, operation: string, path: string, changes: boolean): void {
    if (this.isOff || life !== this.#life) throw new DiskError('failed', path, 'EIO', 'the machine is off')
    if (!changes) return
    if (++this.operations >= this.cutAt) {
      this.#cut()
      throw new DiskError('failed', path, 'EIO', 'the machine is off')
    }
    this.fault?.(operation, path)
  }

  /** Syncs end some turns later, in any order. */
  #later(action: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.add(reject)
      let turns = Math.floor(this.#random() * 4)
      const step = () => {
        if (!this.#pending.has(reject)) return
        if (turns-- > 0) return void setImmediate(step)
        this.#pending.delete(reject)
        action()
        resolve()
      }
      setImmediate(step)
    })
  }

  #open(life: number, path: string, mode: 'read' | 'write' | 'create'): DiskFile {
    const [parent, name] = this.#parent(path)
    const found = parent.live.get(name)
    if (mode === 'create' && found !== undefined) throw new DiskError('exists', path, 'EEXIST', `EEXIST ${path}`)
    if (mode !== 'create' && found === undefined) missing(path)
    const node = found ?? new FileNode()
    if (node.kind !== 'file') throw new DiskError('failed', path, 'EISDIR', `EISDIR ${path}`)
    parent.live.set(name, node)
    const begin = (operation: string, changes = true) => this.#begin(life, operation, path, changes)
    return {
      path,
      read: (into, position) => {
        begin('read', false)
        return position >= node.live.length ? 0 : node.live.copy(into, 0, position)
      },
      write: (pieces, position) => {
        begin('write', false)
        const bytes = Buffer.concat(pieces)
        const room = this.capacity - this.#used(this.#root) - Math.max(0, position + bytes.length - node.live.length)
        if (room < 0) {
          const fits = bytes.subarray(0, Math.max(0, bytes.length + room))
          if (fits.length > 0) apply(node, { at: position, bytes: Buffer.from(fits) })
          throw new DiskError('noSpace', path, 'ENOSPC', `ENOSPC ${path}`)
        }
        apply(node, { at: position, bytes })
        begin('write') // after: a write that a cut interrupts may be on the disk in part
      },
      truncate: (size) => {
        begin('truncate')
        apply(node, { truncateTo: size })
      },
      size: () => node.live.length,
      sync: async () => {
        begin('sync')
        const covered = node.changes.length
        const first = node.changes[0]
        await this.#later(() => {
          // Another sync may have taken some of them meanwhile.
          const from = covered === 0 ? -1 : node.changes.indexOf(first)
          if (from !== 0) return
          for (const change of node.changes.splice(0, covered)) node.durable = changed(node.durable, change)
        })
      },
      close: () => {},
    }
  }

  /** Goes back to what is durable. */
  #forget(directory: DirectoryNode): void {
    directory.live = new Map(directory.durable)
    for (const node of directory.live.values()) {
      if (node.kind === 'directory') {
        this.#forget(node)
        continue
      }
      if (this.#tear) for (const change of node.changes) node.durable = this.#torn(node.durable, change)
      node.changes = []
      node.live = node.durable = Buffer.from(node.durable)
    }
  }

  /** A change of which each sector arrived or not. */
  #torn(bytes: Buffer, change: Change): Buffer {
    if ('truncateTo' in change) return this.#random() < 0.5 ? changed(bytes, change) : bytes
    let result = bytes
    const end = change.at + change.bytes.length
    for (let at = change.at; at < end; ) {
      const next = Math.min(end, (Math.floor(at / SECTOR) + 1) * SECTOR)
      const sector = change.bytes.subarray(at - change.at, next - change.at)
      if (this.#random() < 0.5) result = changed(result, { at, bytes: sector })
      at = next
    }
    return result
  }

  #used(directory: DirectoryNode): number {
    let sum = 0
    for (const node of directory.live.values()) sum += node.kind === 'file' ? node.live.length : this.#used(node)
    return sum
  }

  #stat(path: string): DiskStat | undefined {
    let node: Node | undefined = this.#root
    for (const name of parts(path)) node = node?.kind === 'directory' ? node.live.get(name) : undefined
    return node && { kind: node.kind, size: node.kind === 'file' ? node.live.length : 0, modifiedMs: 0 }
  }

  #directory(path: string): DirectoryNode {
    let node: Node | undefined = this.#root
    for (const name of parts(path)) node = node?.kind === 'directory' ? node.live.get(name) : undefined
    return node?.kind === 'directory' ? node : missing(path)
  }

  #parent(path: string): [DirectoryNode, string] {
    const slash = path.lastIndexOf('/')
    return [this.#directory(path.slice(0, slash)), path.slice(slash + 1)]
  }

  // For tests that damage files.

  contents(path: string): Buffer {
    const [parent, name] = this.#parent(path)
    const node = parent.live.get(name) ?? missing(path)
    return node.kind === 'file' ? node.live : missing(path)
  }

  /** Puts a file there, durable at once. */
  put(path: string, bytes: Buffer): void {
    const [parent, name] = this.#parent(path)
    const node = new FileNode()
    node.live = node.durable = Buffer.from(bytes)
    parent.live.set(name, node)
    parent.durable.set(name, node)
  }

  /** A file's unsynced bytes count as synced from now on, though they are not: what a failed sync leaves behind on Linux. */
  forgetUnsynced(path: string): void {
    const [parent, name] = this.#parent(path)
    const node = parent.live.get(name)
    if (node?.kind === 'file') node.changes = []
  }

  names(directory: string): string[] {
    return [...this.#directory(directory).live.keys()].sort()
  }
}

function parts(path: string): string[] {
  return path.split('/').filter((part) => part !== '')
}

function missing(path: string): never {
  throw new DiskError('notFound', path, 'ENOENT', `ENOENT ${path}`)
}

function apply(node: FileNode, change: Change): void {
  node.live = changed(node.live, change)
  node.changes.push(change)
}

function changed(bytes: Buffer, change: Change): Buffer {
  if ('truncateTo' in change) {
    return Buffer.concat([bytes.subarray(0, change.truncateTo)], change.truncateTo)
  }
  const result = Buffer.alloc(Math.max(bytes.length, change.at + change.bytes.length))
  bytes.copy(result)
  change.bytes.copy(result, change.at)
  return result
}
