import Crypto
import JSON
import Platform
import Shared

/// Reads a file beneath the workdir.
struct FileReadTool: ToolImplementation {
    static let bytesMaxDefault: Int64 = 1 << 20
    private static let base64BytesMax = 48 << 10

    func prepare(_ call: ToolInput) throws(ToolFailure) -> PreparedCall {
        let path = call.text("path") ?? ""
        let bytesMax = call.integer("max_bytes") ?? Self.bytesMaxDefault
        return PreparedCall { _ in
            do throws(SystemError) {
                let file = try call.workdir.folder.open(path)
                guard try file.status().kind == .file else { throw SystemError("open", path, number: 21) }
                return .success(Self.output(path, try file.readAll(bytesMax: Int(bytesMax), path), call.masker))
            } catch { return .failure(.file(error, path)) }
        }
    }

    private static func output(_ path: String, _ bytes: [UInt8], _ masker: Masker) -> JSONObject {
        var output: JSONObject = ["path": .string(path), "size_bytes": .integer(Int64(bytes.count))]
        if String(validating: bytes, as: UTF8.self) != nil, !bytes.contains(0) {
            var capture = OutputCapture(masker)
            capture.add(bytes[...])
            capture.write("text", to: &output)
        } else {
            let kept = Array(masker.masked(bytes).prefix(base64BytesMax))
            output["base64"] = .string(Base64.text(kept))
            if kept.count < bytes.count { output["base64_truncated"] = true }
        }
        // Of a file with a secret in it the digest is left out: short secrets can be guessed from it.
        if masker.masked(bytes) == bytes { output["sha256"] = .string(SHA256.hex(bytes)) }
        return output
    }
}

/// Lists a folder beneath the workdir.
struct FileListTool: ToolImplementation {
    static let entriesMax = 1_000
    static let depthMax = 32

    func prepare(_ call: ToolInput) throws(ToolFailure) -> PreparedCall {
        let path = call.text("path") ?? "."
        let isRecursive = call.flag("recursive")
        return PreparedCall { _ in
            do throws(SystemError) {
                var entries: [JSONValue] = []
                let folder = try call.workdir.folder.folder(path)
                let isAll = try Self.list(folder, "", isRecursive, 0, &entries, call.masker)
                var output: JSONObject = ["path": .string(path), "entries": .array(entries)]
                if !isAll { output["entries_truncated"] = true }
                return .success(output)
            } catch { return .failure(.file(error, path)) }
        }
    }

    /// False when not all could be listed.
    private static func list(
        _ folder: Folder, _ prefix: String, _ isRecursive: Bool, _ depth: Int, _ entries: inout [JSONValue],
        _ masker: Masker
    ) throws(SystemError) -> Bool {
        for name in try folder.names() {
            guard entries.count < entriesMax else { return false }
            guard let status = folder.status(name) else { continue }
            var entry: JSONObject = [
                "name": .string(masker.masked(RecordedText.text(Array((prefix + name).utf8)))),
                "kind": .string(status.kind.rawValue),
            ]
            if status.kind == .file { entry["size_bytes"] = .integer(status.sizeBytes) }
            entries.append(.object(entry))
            guard isRecursive, status.kind == .folder else { continue }
            guard depth < depthMax else { return false }
            let isAll = try list(try folder.folder(name), "\(prefix)\(name)/", true, depth + 1, &entries, masker)
            if !isAll { return false }
        }
        return true
    }
}

/// Writes a file beneath the workdir: all of it or nothing.
struct FileWriteTool: ToolImplementation {
    private static let modeDefault: UInt32 = 0o644

    func prepare(_ call: ToolInput) throws(ToolFailure) -> PreparedCall {
        let path = call.text("path") ?? ""
        let bytes: [UInt8]
        if let text = call.text("text") {
            bytes = Array(text.utf8)
        } else {
            bytes = Array(JSON.pretty(call.arguments["json"] ?? nil).utf8) + [UInt8(ascii: "\n")]
        }
        let mode = call.text("mode").flatMap { UInt32($0, radix: 8) } ?? Self.modeDefault
        return PreparedCall { _ in
            do throws(SystemError) {
                let (parent, name) = Files.split(path)
                let folder = try call.workdir.folder.makeFolder(parent)
                try folder.writeAtomically(bytes, to: name, mode: mode)
                var output: JSONObject = ["path": .string(path), "size_bytes": .integer(Int64(bytes.count))]
                if call.masker.masked(bytes) == bytes { output["sha256"] = .string(SHA256.hex(bytes)) }
                return .success(output)
            } catch { return .failure(.file(error, path)) }
        }
    }
}

extension ToolFailure {
    fileprivate static func file(_ error: SystemError, _ path: String) -> ToolFailure {
        // ELOOP is a link, EXDEV a way out of the workdir.
        let code =
            error.isNotFound
            ? "file_not_found"
            : [18, 40].contains(error.number) ? "path_refused" : error.number == 27 ? "file_too_large" : "file_failed"
        let hint = code == "path_refused" ? "; links and ways out of the workdir are not followed" : ""
        return ToolFailure(code, "\(path): \(error)\(hint)", retryable: error.isTransient || error.isDiskFull)
    }
}

enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func text(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for index in 0..<4 {
                text.append(index <= group.count ? alphabet[bits >> (18 - 6 * index) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
