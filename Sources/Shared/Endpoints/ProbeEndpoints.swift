import HTTP

// What machines ask about the process: is it there, can it serve, which is it, how is it doing.

extension Endpoint where Body == Nothing, Answer == ProbeAnswer {
    package static var livez: Self {
        .init(
            .get, "/livez", "Whether the process is there: asks nothing of the storage. `ok` as text, or JSON.",
            query: [.verbose], answers: ["text/plain", "application/json"])
    }

    package static var readyz: Self {
        .init(
            .get, "/readyz", "Whether the api can serve; 503 with the names of the checks that fail.",
            query: [.verbose], also: [.serviceUnavailable], answers: ["text/plain", "application/json"])
    }
}

extension Endpoint where Body == Nothing, Answer == VersionAnswer {
    package static var version: Self { .init(.get, "/version", "Which release runs.") }
}

extension Endpoint where Body == Nothing, Answer == Nothing {
    package static var metrics: Self {
        .init(
            .get, "/metrics", "What the api counts, in the text format of Prometheus, version 0.0.4.",
            answers: ["text/plain"])
    }
}

extension QueryParameter {
    package static let verbose = QueryParameter(
        "verbose", .flag, "Answers with JSON, as `Accept: application/json` does.")
}

/// How a probe went.
package struct ProbeAnswer: Codable, Hashable, Sendable {
    package struct Check: Codable, Hashable, Sendable {
        package var name: String
        package var ok: Bool
        /// What is wrong, without secrets.
        package var detail: String?

        package init(name: String, ok: Bool, detail: String? = nil) {
            (self.name, self.ok, self.detail) = (name, ok, detail)
        }
    }

    package var ok: Bool
    package var checks: [Check]

    package init(checks: [Check]) { (ok, self.checks) = (checks.allSatisfy(\.ok), checks) }
}

/// The release.
package struct VersionAnswer: Codable, Hashable, Sendable {
    package var name: String
    package var version: String
    package var policyVersion: String

    package init(version: String) {
        (name, self.version, policyVersion) = ("agentos", version, PolicyVerdict.policyVersion)
    }
}
