import API
import APIClient
import HTTP
import JSON
import Platform
import Shared
import TestSupport
import Testing

/// Every endpoint × every caller × whose thing it is. The expected statuses are in `matrix.txt`, which a person has read;
/// `UPDATE_REFERENCE=1 swift test --filter AuthorizationMatrixTests` writes it anew, for the next person to read.
@Suite("Who may do what")
struct AuthorizationMatrixTests {
    /// Somebody who asks, as `matrix.txt` names them.
    enum Who: String, CaseIterable {
        /// No credential at all.
        case nobody
        case malformed, expired, revoked
        case `operator`
        /// The workspace's owner, by a session.
        case owner
        case engine
        /// An engine of another workspace.
        case stranger
    }

    /// Whose thing the path names.
    enum Whose: String, CaseIterable { case own, foreign, missing }

    @Test("is what the matrix says, and nobody can tell a foreign thing from one that does not exist")
    func matrix() throws {
        var page = Self.preamble
        var endpoints: [EndpointDescription] = []
        try withAPI { endpoints = $0.application.endpoints }
        for endpoint in endpoints.sorted(by: { ($0.path, $0.method.rawValue) < ($1.path, $1.method.rawValue) }) {
            // An api for each: what succeeds changes things.
            try withAPI { page += try line(endpoint, $0) }
        }
        let path = "\(Self.folder)/matrix.txt"
        if Program.environment()["UPDATE_REFERENCE"] == "1" {
            try Files.writeAtomically(Array(page.utf8), to: path, mode: 0o644)
        }
        let expected = (try? Files.read(path, bytesMax: 1 << 20)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        for (found, wanted) in zip(page.split(separator: "\n"), expected.split(separator: "\n")) where found != wanted {
            Issue.record("expected \(wanted)\n   found \(found)")
        }
        #expect(page.split(separator: "\n").count == expected.split(separator: "\n").count)
    }

    private static let folder = Files.split(#filePath).folder

    private static let preamble = """
        # Statuses by caller, for one's own thing / another workspace's / one that does not exist. Written by
        # AuthorizationMatrixTests from the endpoints; a change of a line is a change of who may do what.
        # callers: \(Who.allCases.map(\.rawValue).joined(separator: " "))

        """

    // MARK: One endpoint

    private func line(_ endpoint: EndpointDescription, _ api: TestAPI) throws -> String {
        var cells: [String] = []
        let dead = try Dead(api)
        let theirs = try Inhabited(api, "ws_theirs")
        for who in Who.allCases {
            var ours = try Inhabited(api, "ws_ours")
            try ours.prepare(for: endpoint)
            cells.append("\(who.rawValue)=" + (try cell(endpoint, who, ours, theirs, dead)))
        }
        return "\(endpoint.method.rawValue) \(endpoint.path)  \(cells.joined(separator: " "))\n"
    }

    private func cell(
        _ endpoint: EndpointDescription, _ who: Who, _ ours: Inhabited, _ theirs: Inhabited,
        _ dead: Dead
    ) throws -> String {
        let parameters = endpoint.pathParameters
        let missing = Dictionary(uniqueKeysWithValues: parameters.map { ($0, Self.unlike(theirs[$0])) })
        let foreign = Dictionary(uniqueKeysWithValues: parameters.map { ($0, theirs[$0]) })
        let hasScope = !parameters.isEmpty && parameters != ["sha256"]
        var answers: [Whose: Answered] = [:]
        if hasScope {
            // What is refused changes nothing, so these come first.
            answers[.missing] = try send(endpoint, who, ours, dead, named: missing)
            // To the stranger it is ours that is foreign, and its own says nothing new.
            answers[.foreign] = try send(endpoint, who, ours, dead, named: who == .stranger ? [:] : foreign)
            compare(
                answers[.foreign]!, who == .stranger ? ours.ids : foreign, answers[.missing]!, missing, endpoint, who)
        }
        if !hasScope || who != .stranger { answers[.own] = try send(endpoint, who, ours, dead) }
        for (whose, answer) in answers { check(endpoint, who, whose, answer) }
        return (hasScope ? Whose.allCases : [.own]).map { answers[$0].map { String($0.status) } ?? "-" }
            .joined(separator: "/")
    }

    /// An identifier of the same form that nothing has.
    private static func unlike(_ id: String) -> String {
        String(id.dropLast(4)) + (id.hasSuffix("0000") ? "1111" : "0000")
    }

    private func send(
        _ endpoint: EndpointDescription, _ who: Who, _ ours: Inhabited, _ dead: Dead, named: [String: String] = [:]
    ) throws -> Answered {
        var fields: HTTPFields = [.xRequestID: "req_00000000"]
        if endpoint.bodyKind == .json { fields.append(.contentType, "application/json") }
        if endpoint.bodyKind == .bytes { fields.append(.contentType, "application/octet-stream") }
        if who == .engine { fields.append(.xClaimToken, ours.claimToken) }
        return try client(who, ours, dead).exchange(
            endpoint.method == .get && endpoint.answers == ["text/event-stream"] ? .head : endpoint.method,
            ours.target(of: endpoint, named: named), fields: fields, body: ours.body(of: endpoint))
    }

    private func client(_ who: Who, _ ours: Inhabited, _ dead: Dead) throws -> APIClient {
        let api = ours.api
        switch who {
        case .nobody: return api.stranger
        case .malformed: return APIClient(transport: api.transport, credential: .bearer("aos_nonsense"))
        case .operator: return ours.people
        case .owner: return try owner(of: ours)
        case .engine: return try api.engine(Inhabited.engineName, in: ours.workspace)
        case .stranger: return try api.engine(Inhabited.engineName, in: "ws_theirs")
        case .expired: return dead.expired
        case .revoked: return dead.revoked
        }
    }

    private func owner(of ours: Inhabited) throws -> APIClient {
        let token = try ours.ownerSession()["access_token"]?.stringValue
        return APIClient(transport: ours.api.transport, credential: .bearer(token))
    }

    /// Credentials that were good once.
    private struct Dead {
        let expired: APIClient
        let revoked: APIClient

        init(_ api: TestAPI) throws {
            let people = api.operator(in: "ws_ours")
            let soon = Timestamp(milliseconds: api.clock.wallMilliseconds() + 60_000)
            func engine(_ name: String, until end: Timestamp? = nil) throws -> EngineRegisteredAnswer {
                try people.call(.registerEngine, RegisterEngine(actorID: name, validUntil: end?.description))
            }
            func client(_ made: EngineRegisteredAnswer) -> APIClient {
                APIClient(
                    transport: api.transport,
                    credential: .engine(made.engine.engineID, token: made.token.engineToken ?? ""))
            }
            let (late, lost) = (try engine("late", until: soon), try engine("lost"))
            _ = try people.call(
                .revokeEngineToken, GiveReason(),
                ["engine_id": lost.engine.engineID.rawValue, "token_id": lost.token.tokenID.rawValue])
            api.clock.advance(61_000)
            // The writer has not been heard of for a minute now, until it is asked again.
            try eventually("the api to be ready") { try api.stranger.get("/readyz").status == 200 }
            (expired, revoked) = (client(late), client(lost))
        }
    }

    // MARK: What holds for every cell

    private func check(_ endpoint: EndpointDescription, _ who: Who, _ whose: Whose, _ answer: Answered) {
        let cell =
            "\(who) at \(whose) of \(endpoint.method.rawValue) \(endpoint.path): \(answer.status) \(answer.text.prefix(300))"
        if endpoint.isOpen { return }
        switch who {
        case .nobody, .malformed, .expired, .revoked: #expect(answer.status == 401, "\(cell)")
        case .stranger:
            #expect(answer.status >= 400 || endpoint.pathParameters.isEmpty, "\(cell)")
        case .engine where !endpoint.takesEngine: #expect(answer.status == 403, "\(cell)")
        case .operator where whose == .own && endpoint.takesOperator:
            #expect(
                answer.status == endpoint.success.code || endpoint.also.contains { $0.code == answer.status }
                    || Self.needsALease.contains(endpoint.name), "\(cell)")
        case .operator where whose != .own && endpoint.takesOperator:
            #expect(answer.status == (Self.listsOfNobody.contains(endpoint.name) ? 200 : 404), "\(cell)")
        case .operator, .owner, .engine: break
        }
    }

    /// What only the holder of a lease can do.
    private static let needsALease: Set<String> = ["heartbeat", "releaseRun", "confirmCancelled", "claimRun"]

    /// Lists that are empty where there is nothing to list of (`contract/API_HARDENING.md` 8.1).
    private static let listsOfNobody: Set<String> = ["engineTokens"]

    /// Byte for byte the same, but for the identifier that was asked for.
    private func compare(
        _ foreign: Answered, _ foreignIDs: [String: String], _ missing: Answered, _ missingIDs: [String: String],
        _ endpoint: EndpointDescription, _ who: Who
    ) {
        func plain(_ answer: Answered, _ ids: [String: String]) -> String {
            var text = "\(answer.status)\n\(answer.text)\n"
            for name: HTTPFieldName in [.contentType, .cacheControl, .wwwAuthenticate, .xWorkspaceID, .xCorrelationID] {
                text += "\(name.text): \(answer.response.fields[name] ?? "")\n"
            }
            for (name, id) in ids { text = text.replacing(id, with: "{\(name)}") }
            return text
        }
        let (one, other) = (plain(foreign, foreignIDs), plain(missing, missingIDs))
        #expect(one == other, "\(who) can tell them apart at \(endpoint.method.rawValue) \(endpoint.path)")
    }
}
