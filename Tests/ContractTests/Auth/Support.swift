import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

/// An owner who is logged in.
struct LoggedIn {
    static let passphrase = "correct horse battery"

    var client: APIClient
    var ownerID: String
    var access: String
    var refresh: String

    init(_ answer: Answered, _ api: TestAPI) throws {
        guard let access = answer["session"]?["access_token"]?.stringValue,
            let refresh = answer["session"]?["refresh_token"]?.stringValue
        else { throw TestFailure("no session: \(answer.status) \(answer.text)") }
        (self.access, self.refresh) = (access, refresh)
        ownerID = answer["owner"]?["owner_id"]?.stringValue ?? ""
        client = api.bearer(access)
    }
}

extension TestAPI {
    /// Makes the workspace's owner, by the operator.
    func owner(of workspace: WorkspaceID = "ws_home") throws -> LoggedIn {
        let answer = try `operator`.post(
            "/v1/auth/bootstrap-owner",
            [
                "workspace_id": .string(workspace.rawValue), "display_name": "Min",
                "passphrase": .string(LoggedIn.passphrase),
            ])
        #expect(answer.status == 201)
        return try LoggedIn(answer, self)
    }

    func login(
        _ workspace: WorkspaceID = "ws_home", _ passphrase: String = LoggedIn.passphrase, _ more: JSONObject = [:],
        fields: HTTPFields = [:]
    ) throws -> Answered {
        var body = more
        (body["workspace_id"], body["passphrase"]) = (.string(workspace.rawValue), .string(passphrase))
        return try stranger.post("/v1/auth/login", .object(body), fields: fields)
    }

    func refresh(_ token: String) throws -> Answered {
        try stranger.post("/v1/auth/refresh", ["refresh_token": .string(token)])
    }

    /// What has happened to the workspace's sessions, oldest first.
    func authEvents(_ workspace: WorkspaceID = "ws_home") throws -> [EventRow] {
        try `operator`(in: workspace).call(.events, Nothing(), query: [("limit", "200")]).events.filter {
            $0.eventType.hasPrefix("auth.")
        }
    }
}
