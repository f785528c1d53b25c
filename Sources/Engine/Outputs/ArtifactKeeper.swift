import APIClient
import Crypto
import HTTP
import HTTPClient
import JSON
import Platform
import Shared

/// Keeps files of a step: found beneath the workdir, hashed, stored under their SHA-256, and named as artifacts.
struct ArtifactKeeper {
    enum Failure: Error {
        case api(RunWriter.Failure)
        case tool(ToolFailure)
    }

    static let artifactBytesMax: Int64 = 268_435_456
    static let inlineBytesMax: Int64 = 32 << 10
    /// For one file of the greatest size on a slow disk.
    static let uploadMs = 600_000
    static let filesMax = 1_000

    let context: RunContext
    let stepID: StepID

    func keep(_ artifacts: [PlanArtifact]) throws(Failure) {
        for artifact in artifacts {
            switch artifact.source {
            case .path(let path): try keep(path, artifact)
            case .glob(let pattern):
                for path in try find(pattern) { try keep(path, artifact) }
            }
        }
    }

    private func find(_ pattern: String) throws(Failure) -> [String] {
        do throws(SystemError) {
            let found = try Glob(pattern).files(in: context.workdir.folder, atMost: Self.filesMax + 1)
            guard found.count <= Self.filesMax else {
                throw SystemError("glob", "\(pattern) names more than \(Self.filesMax) files;", number: 7)
            }
            return found
        } catch { throw .tool(ToolFailure("artifact_unreadable", "\(error)")) }
    }

    private func keep(_ path: String, _ artifact: PlanArtifact) throws(Failure) {
        let file: Descriptor
        let size: Int64
        let digest: String
        do throws(SystemError) {
            file = try context.workdir.folder.open(path)
            let status = try file.status()
            guard status.kind == .file else { throw SystemError("open", path, number: 21) }
            guard status.sizeBytes <= Self.artifactBytesMax else { throw SystemError("read", path, number: 27) }
            (size, digest) = try Self.hash(file)
        } catch {
            let code = error.isNotFound ? "artifact_not_found" : "artifact_unreadable"
            throw .tool(ToolFailure(code, "artifact \(path) cannot be kept: \(error)"))
        }
        do throws(RunWriter.Failure) {
            try upload(file, size, digest)
            try record(path, artifact, size, digest, content(file, size, path))
        } catch {
            if case .refused(let problem, _) = error, problem.status < 500 {
                throw .tool(ToolFailure("artifact_refused", "artifact \(path): \(problem.detail)"))
            }
            throw .api(error)
        }
    }

    private static func hash(_ file: Descriptor) throws(SystemError) -> (Int64, String) {
        let digest = RunningSHA256()
        var size: Int64 = 0
        while true {
            let bytes = try file.read(upTo: 256 << 10)
            if bytes.isEmpty { return (size, digest.hex()) }
            digest.update(bytes[...])
            size += Int64(bytes.count)
        }
    }

    private func upload(_ file: Descriptor, _ size: Int64, _ digest: String) throws(RunWriter.Failure) {
        let writer = context.writer
        let endpoint: Endpoint<Nothing, BlobStored> = .putBlob
        let target = endpoint.target(["step_id": stepID.rawValue, "sha256": digest])
        try writer.repeating(endpoint.path) { () throws(APIFailure) in
            var request = writer.client.request(
                .put, target,
                fields: [.xClaimToken: writer.token, .contentType: "application/octet-stream"],
                deadlineMilliseconds: Self.uploadMs)
            request.body = .file(path: file.reopenPath, length: size)
            request.cancellation = context.held.cancellation
            _ = try writer.client.send(request)
        }
    }

    private func record(
        _ path: String, _ artifact: PlanArtifact, _ size: Int64, _ digest: String, _ content: JSONValue?
    ) throws(RunWriter.Failure) {
        // The token goes in a header: the body is the same over re-claims, so that a repeat is known as one.
        let fields: HTTPFields = [
            .xClaimToken: context.writer.token,
            .idempotencyKey: "artifact-\(stepID.rawValue)-\(SHA256.hex(Array(path.utf8)).prefix(32))",
        ]
        do throws(RunWriter.Failure) {
            try context.writer.send(
                .createArtifact,
                CreateArtifact(
                    kind: artifact.kind, title: artifact.title ?? path, mimeType: MediaType.of(path), sizeBytes: size,
                    sha256: digest, content: content, metadata: ["path": .string(path)]),
                ["step_id": stepID.rawValue], fields: fields)
        } catch {
            // Kept by an earlier claim of the run.
            if error.code != .idempotencyConflict { throw error }
        }
    }

    /// Small texts and JSON stand in the artifact itself, without secrets.
    private func content(_ file: Descriptor, _ size: Int64, _ path: String) -> JSONValue? {
        guard size <= Self.inlineBytesMax, let again = try? Descriptor.openToRead(file.reopenPath),
            let bytes = try? again.readAll(bytesMax: Int(Self.inlineBytesMax)),
            !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self)
        else { return nil }
        if MediaType.of(path) == MediaType.json, let json = try? JSON.parse(bytes),
            let clean = RecordedText.capped(json, context.masker)
        {
            return ["type": "json", "json": clean]
        }
        return ["type": "text", "text": .string(context.masker.masked(text))]
    }
}

/// Media types by the endings of names.
enum MediaType {
    static let json = "application/json"

    static func of(_ path: String) -> String {
        let ending = path.split(separator: "/").last?.split(separator: ".").last.map(String.init) ?? ""
        switch ending.lowercased() {
        case "txt", "log", "diff", "patch": return "text/plain; charset=utf-8"
        case "md": return "text/markdown; charset=utf-8"
        case "csv": return "text/csv; charset=utf-8"
        case "html", "htm": return "text/html; charset=utf-8"
        case "json": return json
        case "xml": return "application/xml"
        case "pdf": return "application/pdf"
        case "png": return "image/png"
        case "jpg", "jpeg": return "image/jpeg"
        case "gif": return "image/gif"
        case "svg": return "image/svg+xml"
        case "gz", "tgz": return "application/gzip"
        case "zip": return "application/zip"
        default: return "application/octet-stream"
        }
    }
}
