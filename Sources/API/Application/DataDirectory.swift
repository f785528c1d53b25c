import Platform
import Shared

/// The folder with everything that must not be lost, and what only its owner may read.
package enum DataDirectory {
    /// The files that make it this instance and no other: its callers' secrets. They are part of every backup, which is as
    /// secret as the directory.
    static let instanceFiles = [operatorTokenName, TokenKey.fileName, AuditKey.fileName]
    static let operatorTokenName = "operator.token"
    /// Is there while a restore puts the new data in the place of the old.
    private static let restoringName = "restore.unfinished"

    static func restoringPath(_ directory: String) -> String { "\(directory)/\(restoringName)" }

    /// Takes the directory for this process.
    /// - Parameter toRestore: Also one in which a restore was cut off.
    static func lock(_ directory: String, toRestore: Bool = false) throws -> Descriptor {
        if !toRestore, Files.exists(restoringPath(directory)) {
            throw StartFailure(
                "a restore into \(directory) was cut off: run `aos restore FILE --force` again; what was there before is in \(directory)/before-restore-…"
            )
        }
        let file = try Descriptor.openToWrite("\(directory)/lock")
        guard try file.tryLock() else {
            throw StartFailure("\(directory) is in use by another api; stop it first, or set AOS_DATA_DIR")
        }
        return file
    }

    /// Reads a secret, or makes one in a file that only its owner can read.
    static func secret(_ path: String, _ entropy: any Entropy, _ make: ([UInt8]) -> String) throws -> String {
        if let bytes = try? Files.read(path, bytesMax: 4096) {
            return String(decoding: bytes, as: UTF8.self).filter { $0 != "\n" }
        }
        let secret = make(entropy.bytes(32))
        try Files.writeAtomically(Array((secret + "\n").utf8), to: path, mode: 0o600)
        return secret
    }
}

/// Why a program cannot start, in one sentence.
package struct StartFailure: Error, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}
