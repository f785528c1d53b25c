/// Paths inside a workdir, as a plan may name them. Symbolic links are the engine's to check.
enum RelativePath {
    enum Target: Hashable { case file, folder, pattern }

    /// What is wrong with the path, as a sentence; nil when nothing is.
    static func problem(_ path: String, for target: Target) -> String? {
        let bytes = path.utf8
        let parts = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if bytes.isEmpty { return "expected a path inside the workdir, found an empty string" }
        if bytes.count > ArgumentSchema.pathBytesMax {
            return "expected a path of at most \(ArgumentSchema.pathBytesMax) bytes, found \(bytes.count) bytes"
        }
        if bytes.contains(0) { return "expected a path without NUL bytes, found one" }
        if bytes.first == UInt8(ascii: "/") {
            return "expected a path inside the workdir, found an absolute one; write it relative to the workdir"
        }
        if parts.contains(where: { $0.elementsEqual("..".utf8) }) {
            return "expected a path inside the workdir, found .. in it; paths cannot leave the workdir"
        }
        if target == .file, let last = parts.last, last.isEmpty || last.elementsEqual(".".utf8) {
            return "expected the path of a file, found that of a folder; add the name of the file"
        }
        return nil
    }
}
