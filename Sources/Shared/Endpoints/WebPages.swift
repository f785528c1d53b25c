import HTTP

/// A page of the web UI: an address that people share, and the read of the interface behind it.
package struct WebPage: Hashable, Sendable {
    /// A template: a segment in braces is a parameter.
    package var path: String
    /// What a program that asks for the same thing reads: the page's address with ``twinSuffix`` leads there, with the
    /// same query.
    package var twin: String

    package init(_ path: String, twin: String) { (self.path, self.twin) = (path, twin) }

    package static let twinSuffix = ".json"
    /// The home page has no name of its own to put the suffix to.
    package static let homeTwin = "/home.json"

    /// Every page there is, sorted.
    package static let all: [WebPage] = [
        .init("/", twin: "/v1/pipeline/projection"),
        .init("/approvals", twin: "/v1/approvals"),
        .init("/approvals/{approval_id}", twin: "/v1/approvals/{approval_id}"),
        .init("/desktop-bootstrap", twin: "/v1/system/health/issues"),
        .init("/events/{event_id}", twin: "/v1/events/{event_id}"),
        .init("/help", twin: "/openapi.json"),
        .init("/incidents", twin: "/v1/incidents"),
        .init("/incidents/{incident_id}", twin: "/v1/incidents/{incident_id}"),
        .init("/inspector", twin: "/v1/events"),
        .init("/login", twin: "/v1/ui/session"),
        .init("/notifications", twin: "/v1/ui/marks"),
        .init("/pipeline", twin: "/v1/pipeline/projection"),
        .init("/rooms", twin: "/v1/rooms"),
        .init("/rooms/{room_id}", twin: "/v1/rooms/{room_id}"),
        .init("/rooms/{room_id}/threads", twin: "/v1/rooms/{room_id}/threads"),
        .init("/runs", twin: "/v1/runs"),
        .init("/runs/{run_id}", twin: "/v1/runs/{run_id}/snapshot"),
        .init("/search", twin: "/v1/search"),
        .init("/system", twin: "/v1/system/health/issues"),
        .init("/threads/{thread_id}", twin: "/v1/threads/{thread_id}/messages"),
    ]

    /// The address of the page's twin.
    package func twin(_ parameters: [String: String]) -> String {
        twin.split(separator: "/", omittingEmptySubsequences: false).map { segment -> String in
            guard segment.first == "{", segment.last == "}" else { return String(segment) }
            return PercentEncoding.encode(parameters[String(segment.dropFirst().dropLast())] ?? "")
        }.joined(separator: "/")
    }
}
