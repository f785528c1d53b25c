import DatabaseCore
import Domain
import HTTP
import HTTPServer
import JSON
import Platform
import Projectors
import Shared

/// Artifacts and the blobs behind them.
struct ArtifactRoutes: Sendable {
    let environment: APIEnvironment
    let commands: CommandBus
    let blobs: BlobStore
    let problems: ProblemAnswers

    private static let execute = Access.engine(action: "run.execute")

    func mount(on routes: inout RouteTable) {
        routes.stream(.putBlob, Self.execute, put)
        routes.on(.createArtifact, Self.execute, create)
        routes.get(.artifacts, Self.execute, list)
        routes.get(.artifact, Self.execute, show)
        routes.raw(.artifactContent, Self.execute, content)
    }

    /// The fence is checked before the first byte: a lost holder's upload is not even read.
    @Sendable private func put(_ context: RequestContext) throws -> BodyPlan {
        let id: StepID = context.id("step_id")
        let sha256 = try Self.digest(context.parameters["sha256"] ?? "", "sha256")
        try environment.database.read { transaction in
            let step = try found(id, in: context.workspace, transaction)
            let run = try found(step.runID, in: context.workspace, transaction)
            try context.requireRoom(run.roomID)
            try Fence.check(
                run, LeaseTable.find(run.runID, transaction), token: context.request.fields[.xClaimToken],
                context.caller, leaseClockMs: try environment.leaseClockMs(transaction))
        }
        let sink = try blobs.sink(sha256, in: context.workspace) { [problems] in
            problems.answer($0, context)
        } stored: { [problems] bytes in
            problems.traced(try Answers.json(BlobStored(sha256: sha256, sizeBytes: bytes), .created), context)
        }
        return .sink(sink, bytesMax: blobs.bytesMax)
    }

    @Sendable private func create(_ body: CreateArtifact, _ context: RequestContext) throws -> Reply {
        let id: StepID = context.id("step_id")
        if let version = body.schemaVersion, version != "2.0", version != "2.1" {
            throw Rejection.field(
                "schema_version", .invalidSchemaVersion,
                "schema_version: expected 2.0 or 2.1, found '\(version.prefix(40))'")
        }
        return commands.perform(context, .created) { [blobs] work in
            var body = body
            let (step, run) = try work.step(id, in: context.workspace)
            // Artifacts may follow the run's end; then nobody holds it any more, and only the operator may add them.
            try work.fence(run, context, token: body.claimToken)
            if let text = body.sha256, body.content == nil || body.content?["type"]?.stringValue != "uri" {
                let sha256 = try Self.digest(text, "sha256")
                // As the blob is named, however the caller spelled it.
                body.sha256 = sha256
                if let size = blobs.size(sha256, in: context.workspace) {
                    body.sizeBytes = size
                } else if body.content == nil {
                    throw Rejection.field(
                        "sha256", .blobNotFound, "no blob \(sha256): PUT /v1/steps/\(id)/blobs/\(sha256) first")
                }
            }
            let event = try ArtifactDecider.create(
                environment.newID(), body, of: step, in: run, CommandFacts(actor: context.actor, now: work.now))
            try work.record(event)
            guard case .artifact(.created(let created)) = event.event else {
                preconditionFailure("an artifact is recorded as one")
            }
            return ArtifactCreatedAnswer(artifactID: created.artifactID)
        }
    }

    @Sendable private func list(_ context: RequestContext) throws -> ArtifactList {
        let (limit, cursor) = (try context.limit(default: 50, max: 200), try context.cursor())
        let artifacts = try environment.database.read {
            try ArtifactTable.list(
                in: context.workspace, room: context.query("room_id").map { RoomID($0) },
                run: context.query("run_id").map { RunID($0) }, step: context.query("step_id").map { StepID($0) },
                after: cursor, limit: limit, $0)
        }
        return ArtifactList(
            artifacts: artifacts,
            nextCursor: artifacts.nextCursor(limit) { ListCursor(time: $0.createdAt, id: $0.artifactID.rawValue) })
    }

    @Sendable private func show(_ context: RequestContext) throws -> ArtifactAnswer {
        let id: ArtifactID = context.id("artifact_id")
        return ArtifactAnswer(artifact: try environment.database.read { try found(id, in: context.workspace, $0) })
    }

    // MARK: Download

    @Sendable private func content(_ context: RequestContext) throws -> Reply {
        let id: ArtifactID = context.id("artifact_id")
        let artifact = try environment.database.read { try found(id, in: context.workspace, $0) }
        // What an agent made is shown as a download of bytes, never run as a page of ours.
        var fields: HTTPFields = [
            .contentType: Self.safeMediaType(artifact.mimeType), .cacheControl: "private, no-store",
            .contentDisposition: "attachment", .contentSecurityPolicy: "default-src 'none'; sandbox",
        ]
        guard let sha256 = artifact.sha256, let size = blobs.size(sha256, in: context.workspace) else {
            switch artifact.contentType {
            case .text: return .now(HTTPResponse(.ok, fields: fields, body: Array((artifact.contentText ?? "").utf8)))
            case .json: return .now(HTTPResponse(.ok, fields: fields, body: artifact.contentJSON.jsonBytes))
            case .uri, .none: throw Rejection(.blobNotFound, "the artifact has no content here")
            }
        }
        let tag = EntityTag(sha256)
        fields.append(.etag, tag.description)
        fields.append(.acceptRanges, "bytes")
        if tag.isKnown(by: context.request.fields.all(.ifNoneMatch)) {
            return .now(HTTPResponse(.notModified, fields: fields))
        }
        let file = try Descriptor.openToRead(blobs.path(sha256, in: context.workspace))
        guard let range = try Self.range(context.request.fields[.range], size: size) else {
            return .stream(HTTPResponse(.ok, fields: fields), FileSource(file, bytes: size), length: size)
        }
        try file.seek(to: range.lowerBound)
        fields.append(.contentRange, "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)")
        let length = range.upperBound - range.lowerBound
        return .stream(
            HTTPResponse(.partialContent, fields: fields), FileSource(file, bytes: length), length: length)
    }

    /// One byte range (RFC 9110, 14.1.2); several, or another unit, are answered with the whole.
    static func range(_ text: String?, size: Int64) throws(Rejection) -> Range<Int64>? {
        guard let text, text.hasPrefix("bytes="), !text.contains(",") else { return nil }
        let ends = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        let isPlain = ends.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        guard ends.count == 2, isPlain else { return nil }
        let range: Range<Int64>
        switch (Int64(ends[0]), Int64(ends[1])) {
        case (let first?, let last?) where first <= last: range = first..<max(first, min(last, size - 1) + 1)
        case (let first?, nil) where ends[1].isEmpty: range = first..<max(first, size)
        case (nil, let count?) where ends[0].isEmpty: range = max(0, size - count)..<size
        default: return nil
        }
        guard range.lowerBound < size, !range.isEmpty else {
            throw Rejection(.rangeNotSatisfiable, "the content has \(size) bytes, the range asks for others")
        }
        return range
    }

    static func digest(_ text: String, _ field: String) throws(Rejection) -> String {
        let digest = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
        guard digest.utf8.count == 64, digest.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) }) else {
            throw .field(field, .invalidField, "\(field): expected 64 lower-case hexadecimal digits")
        }
        return digest
    }

    private static func safeMediaType(_ type: String?) -> String {
        guard let type, type.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }), type.contains("/") else {
            return "application/octet-stream"
        }
        return type
    }
}
