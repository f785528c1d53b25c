import API
import APIClient
import Crypto
import HTTP
import JSON
import Shared
import TestSupport

/// One of everything in a workspace, in the states that endpoints are for.
struct Inhabited {
    let api: TestAPI
    let workspace: WorkspaceID
    /// What stands for each path parameter.
    private(set) var ids: [String: String] = [:]
    /// The token of the claim under which the run is held, by the engine of this name.
    private(set) var claimToken = ""
    /// Of a session of our owner, where one is prepared.
    private(set) var refreshToken = "none"
    private(set) var loginCode = "none"
    static let engineName = "holder"

    var people: APIClient { api.operator(in: workspace) }

    init(_ api: TestAPI, _ workspace: WorkspaceID) throws {
        (self.api, self.workspace) = (api, workspace)
        ids["room_id"] = try api.room(in: workspace).rawValue
        let engine = try api.operator(in: workspace).call(
            .registerEngine, RegisterEngine(actorID: "spare", reactivate: true))
        ids["engine_id"] = engine.engine.engineID.rawValue
        ids["token_id"] = engine.token.tokenID.rawValue
        try hold()
        ids["approval_id"] = try made("/v1/approvals", ["action": "external.write"], "approval_id")
        ids["incident_id"] = try made("/v1/incidents", ["title": "It broke"], "incident_id")
        ids["thread_id"] = try made("/v1/rooms/\(self["room_id"])/threads", ["title": "talk"], "thread_id")
        ids["message_id"] = try made(
            "/v1/threads/\(self["thread_id"])/messages", ["content_md": "kept", "lang": "en"], "message_id")
        ids["experiment_id"] = try made(
            "/v1/experiments", ["title": "t", "hypothesis": "h", "budget_cap_units": 1, "risk_tier": "low"],
            "experiment_id")
        ids["scorecard_id"] = try made(
            "/v1/scorecards",
            ["template_key": "k", "template_version": "1", "metrics": [["key": "a", "value": 1]]], "scorecard_id")
        ids["lesson_id"] = try made(
            "/v1/lessons", ["category": "c", "summary": "s", "scorecard_id": .string(self["scorecard_id"])],
            "lesson_id")
        ids["event_id"] = try people.call(.events, Nothing(), query: [("limit", "1")]).events.first?.eventID.rawValue
        ids["sha256"] = SHA256.hex(Self.blob)
    }

    static let blob = Array("a blob".utf8)

    subscript(_ name: String) -> String { ids[name] ?? "nothing" }

    /// A run in an engine's hands, with a step, a running call and an artifact.
    private mutating func hold() throws {
        _ = try api.operator(in: workspace).call(
            .createRun, CreateRun(roomID: RoomID(self["room_id"]), title: "work", input: ["plan": Plans.shell]))
        // Of our room: the endpoint that is tried may have queued others.
        let engine = try api.engine(Self.engineName, in: workspace)
        let claim = try engine.call(.claimRun, ClaimRun(roomID: RoomID(self["room_id"]), plan: "any"))
        guard let run = claim.run else { throw TestFailure("there is no run to claim") }
        let hold = Hold(client: engine, run: run)
        let step = try hold.step("a")
        ids["run_id"] = hold.runID.rawValue
        ids["step_id"] = step.rawValue
        claimToken = hold.token
        let call = try hold.call(step, "shell", ["argv": ["wc", "-l"]])
        guard call.status == 201 else { throw TestFailure("no call: \(call.text)") }
        ids["tool_call_id"] = call[text: "tool_call_id"]
        ids["artifact_id"] = try made(
            "/v1/steps/\(step)/artifacts", ["kind": "note", "content": ["type": "text", "text": "kept"]], "artifact_id")
    }

    /// What a POST by the operator made.
    func made(_ target: String, _ body: JSONObject, _ member: String) throws -> String {
        let answer = try people.post(target, .object(body))
        guard (200...201).contains(answer.status) else { throw TestFailure("\(target): \(answer.text)") }
        return answer[text: member]
    }

    /// A new session of our owner, who is set up by the first.
    func ownerSession() throws -> JSONValue {
        let credentials: JSONValue = [
            "workspace_id": .string(workspace.rawValue), "display_name": "Min",
            "passphrase": "correct horse battery staple",
        ]
        var answer = try api.operator.post("/v1/auth/bootstrap-owner", credentials)
        if answer.status == 409 { answer = try api.stranger.post("/v1/auth/login", credentials) }
        guard let session = answer["session"], session != .null else { throw TestFailure(answer.text) }
        return session
    }

    /// Brings about the state in which the endpoint succeeds, where it is not the one we are born in.
    mutating func prepare(for endpoint: EndpointDescription) throws {
        guard let prepare = Self.preparations[endpoint.name] else { return }
        try prepare(&self)
    }

    private static let preparations: [String: @Sendable (inout Inhabited) throws -> Void] = [
        "startRun": { world in
            world.ids["run_id"] = try world.made("/v1/runs", ["room_id": .string(world["room_id"])], "run_id")
        },
        "resolveToolCall": { world in
            let answer = try world.people.post(
                "/v1/toolcalls/\(world["tool_call_id"])/fail", ["error": ["unknown": true]])
            guard answer.status == 200 else { throw TestFailure(answer.text) }
        },
        "engineControl": { world in
            let engines = try world.people.call(.engines, Nothing()).engines
            world.ids["engine_id"] = engines.first { $0.actorID == engineName }?.engineID.rawValue
        },
        "login": { world in _ = try world.ownerSession() },
        "refreshSession": { world in world.refreshToken = try world.ownerSession()["refresh_token"]?.stringValue ?? ""
        },
        "beginWebSession": { world in
            let link = try world.people.post("/v1/ui/links")[text: "url"]
            world.loginCode = link.split(separator: "#").last.map(String.init) ?? ""
        },
        "eraseEvent": { world in
            let said = try world.people.call(.events, Nothing(), query: [("event_type", "message.created")])
            world.ids["event_id"] = said.events.first?.eventID.rawValue
        },
        "closeIncident": { world in
            let incident = "/v1/incidents/\(world["incident_id"])"
            _ = try world.made("\(incident)/rca", ["summary": "A typo"], "ok")
            _ = try world.made("\(incident)/learning", ["note": "Look twice"], "learning_id")
        },
        "evidence": { _ = try $0.made("/v1/runs/\($0["run_id"])/complete", [:], "ok") },
        "finalizeEvidence": { _ = try $0.made("/v1/runs/\($0["run_id"])/complete", [:], "ok") },
    ]

    // MARK: Requests

    /// The example's body, with our things in the place of the well-known ones.
    func body(of endpoint: EndpointDescription) -> [UInt8]? {
        switch endpoint.bodyKind {
        case .none: return nil
        case .bytes: return Self.blob
        case .json:
            var text = String(decoding: JSON.write(endpoint.example ?? [:]), as: UTF8.self)
            for (name, example) in ExampleIDs.parameters { text = text.replacing(example, with: self[name]) }
            text = text.replacing(ExampleIDs.workspace.rawValue, with: workspace.rawValue)
            text = text.replacing(ExampleIDs.refreshToken, with: refreshToken)
            text = text.replacing(ExampleIDs.loginCode, with: loginCode)
            return Array(text.utf8)
        }
    }

    /// - Parameter named: What stands for the parameters instead of our own.
    func target(of endpoint: EndpointDescription, named: [String: String] = [:]) -> String {
        let path = endpoint.path.split(separator: "/", omittingEmptySubsequences: false).map { segment -> String in
            guard segment.first == "{" else { return String(segment) }
            let name = String(segment.dropFirst().dropLast())
            return named[name] ?? self[name]
        }.joined(separator: "/")
        let query = endpoint.query.filter(\.isRequired).map { ($0.name, "kept") }
        return path + PercentEncoding.query(query)
    }
}
