import CLinux

// What those need who move whole folders of files and must not lose one of them.

extension Files {
    /// A new file for reading and writing. Throws `EEXIST` when something has the name already, a dangling link too.
    package static func createNew(_ path: String, mode: UInt32 = 0o600) throws(SystemError) -> Descriptor {
        let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        return Descriptor(Int32(try systemCall("open", path) { Int(aos_open(path, flags, mode)) }))
    }

    /// Waits until the names in the folder are on the disk.
    package static func syncFolder(_ path: String) throws(SystemError) { try Descriptor.openToRead(path).sync() }

    /// Gives the file or folder, and all that is in it, to whoever owns `example`. Links are given, not followed.
    package static func give(_ path: String, toOwnerOf example: String) throws(SystemError) {
        guard let owner = status(example) else { throw SystemError("lstat", example, number: ENOENT) }
        try give(path, owner)
    }

    private static func give(_ path: String, _ owner: Status) throws(SystemError) {
        try systemCall("chown", path) { Int(aos_give(path, owner.ownerID, owner.groupID)) }
        guard status(path)?.kind == .folder else { return }
        for name in try list(path) { try give("\(path)/\(name)", owner) }
    }
}

extension Descriptor {
    /// Waits until everything that was written to the file system of this file is on the disk: for many files at once.
    package func syncFileSystem() throws(SystemError) { try systemCall("syncfs") { Int(syncfs(number)) } }
}
