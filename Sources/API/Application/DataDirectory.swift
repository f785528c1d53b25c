import Platform
import Shared

/// The folder with everything that must not be lost, and what only its owner may read.
package enum DataDirectory {
    /// Takes the directory for this process.
    static func lock(_ directory: String) throws -> Descriptor {
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
