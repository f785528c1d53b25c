package import APIClient
package import HTTP
import HTTPClient
package import JSON
package import Shared

/// An answer as it came: tests of the wire look at statuses, fields and members, not at types of ours.
package struct Answered: Sendable {
    package var response: HTTPResponse

    package init(response: HTTPResponse) { self.response = response }

    package var status: Int { response.status.code }
    package var json: JSONValue { (try? JSON.parse(response.body, limits: Self.limits)) ?? .null }
    package var text: String { String(decoding: response.body, as: UTF8.self) }
    /// The code of a problem.
    package var code: String? { json["reason_code"]?.stringValue }
    package subscript(_ key: String) -> JSONValue? { json[key] }
    package subscript(text key: String) -> String { json[key]?.stringValue ?? "" }

    private static let limits: JSONLimits = {
        var limits = JSONLimits()
        (limits.bytesMax, limits.valuesMax) = (64 << 20, 5_000_000)
        return limits
    }()
}

extension APIClient {
    /// Sends exactly this, and takes every answer.
    package func exchange(
        _ method: HTTPMethod, _ target: String, fields: HTTPFields = [:], body: [UInt8]? = nil,
        deadlineMilliseconds: Int = 90_000
    ) throws -> Answered {
        var request = self.request(method, target, fields: fields, deadlineMilliseconds: deadlineMilliseconds)
        if let body { request.body = .bytes(body) }
        return Answered(response: try transport.send(request))
    }

    package func get(_ target: String, fields: HTTPFields = [:]) throws -> Answered {
        try exchange(.get, target, fields: fields)
    }

    package func post(_ target: String, _ body: JSONValue = [:], fields: HTTPFields = [:]) throws -> Answered {
        var fields = fields
        if !fields.contains(.contentType) { fields.append(.contentType, "application/json") }
        return try exchange(.post, target, fields: fields, body: JSON.write(body))
    }

    /// The same with a body that need not be JSON.
    package func post(text: String, _ target: String, fields: HTTPFields = [.contentType: "application/json"]) throws
        -> Answered
    {
        try exchange(.post, target, fields: fields, body: Array(text.utf8))
    }
}

/// A run in an engine's hands.
package struct Hold: Sendable {
    package var client: APIClient
    package var run: ClaimedRun

    package init(client: APIClient, run: ClaimedRun) { (self.client, self.run) = (client, run) }

    package var runID: RunID { run.runID }
    package var token: String { run.claimToken }

    /// Posts with the claim token.
    package func post(_ target: String, _ body: JSONObject = [:]) throws -> Answered {
        var body = body
        body["claim_token"] = .string(token)
        return try client.post(target, .object(body))
    }

    /// Posts to a route of the run.
    package func onRun(_ route: String, _ body: JSONObject = [:]) throws -> Answered {
        try post("/v1/runs/\(runID)/\(route)", body)
    }

    package func step(_ id: String, kind: String = "shell") throws -> StepID {
        let answer = try onRun("steps", ["kind": .string(kind), "plan_step_id": .string(id)])
        guard answer.status == 201 || answer.status == 200 else { throw TestFailure("no step: \(answer.text)") }
        return StepID(answer[text: "step_id"])
    }

    /// Asks to act.
    package func call(
        _ step: StepID, _ tool: String, _ input: JSONValue, ordinal: Int? = nil, tryNo: Int? = nil,
        _ more: JSONObject = [:]
    ) throws -> Answered {
        var body = more
        (body["tool_name"], body["input"]) = (.string(tool), input)
        if let ordinal { body["ordinal"] = .integer(Int64(ordinal)) }
        if let tryNo { body["try_no"] = .integer(Int64(tryNo)) }
        return try post("/v1/steps/\(step)/toolcalls", body)
    }

    /// An external write: an http POST.
    package func publish(_ step: StepID, text: String = "hello", ordinal: Int? = nil, tryNo: Int? = nil) throws
        -> Answered
    {
        try call(step, "http", Plans.publishArguments(text), ordinal: ordinal, tryNo: tryNo)
    }

    @discardableResult
    package func succeed(_ call: String, output: JSONValue = [:]) throws -> Answered {
        try post("/v1/toolcalls/\(call)/succeed", ["output": output])
    }
}

/// Plans for tests.
package enum Plans {
    package static let shell: JSONValue = step("shell", ["argv": ["wc", "-l"]])

    package static let publish: JSONValue = step("http", publishArguments("hello"))

    package static func publishArguments(_ text: String) -> JSONValue {
        ["method": "POST", "url": "https://example.org/reports", "text": .string(text)]
    }

    /// A plan of one step with the id `a`.
    package static func step(_ tool: String, _ arguments: JSONValue, _ more: JSONObject = [:]) -> JSONValue {
        var step = more
        (step["id"], step["tool"], step["with"]) = ("a", .string(tool), arguments)
        return ["version": 1, "steps": [.object(step)]]
    }
}
