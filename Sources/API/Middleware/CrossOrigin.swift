import HTTP
import Platform
import Shared

/// Which names this server answers to: a web page that points its own name at our address gets nothing.
struct HostPolicy: Sendable {
    private let hosts: Set<String>
    private let origins: Set<String>
    private let crossOrigin: CrossOrigin

    /// - Parameter more: Names (with port where it is not ours) that the operator allows besides loopback's.
    init(port: UInt16, more: [String], crossOrigin: CrossOrigin) {
        let names = Self.loopback + more
        hosts = Set(names.flatMap { [$0, "\($0):\(port)"] })
        origins = Set(
            names.flatMap { ["http://\($0)", "http://\($0):\(port)", "https://\($0)", "https://\($0):\(port)"] })
        self.crossOrigin = crossOrigin
    }

    private static let loopback = ["localhost", "127.0.0.1", "[::1]"]

    /// Whether the client named us by one of loopback's names: then nobody stands between.
    static func isLoopback(_ request: HTTPRequest) -> Bool {
        let host = (request.fields[.host] ?? "").lowercased()
        return loopback.contains { host == $0 || host.hasPrefix("\($0):") }
    }

    func check(_ request: HTTPRequest) throws(Rejection) {
        let host = (request.fields[.host] ?? "").lowercased()
        guard hosts.contains(host) else {
            throw Rejection(
                .hostNotAllowed,
                "this server does not answer to the host '\(host.prefix(100))'; AOS_ALLOWED_HOSTS adds names")
        }
        guard let origin = request.fields[.origin] else { return }
        guard origins.contains(origin.lowercased()) || crossOrigin.allows(origin) else {
            throw Rejection(
                .originNotAllowed,
                "requests from pages of '\(origin.prefix(100))' are not allowed; AOS_ALLOWED_ORIGINS adds origins")
        }
    }
}

/// CORS for the origins that the operator names, exactly; off when none is named.
struct CrossOrigin: Sendable {
    private static let maxAgeSeconds = 600
    /// What a page may send beyond the simple fields.
    private static let requestFields: [HTTPFieldName] = [
        .authorization, .contentType, .idempotencyKey, .ifMatch, .lastEventID, .traceparent, .tracestate, .xClaimToken,
        .xCorrelationID, .xRequestID, .xWorkspaceID,
    ]
    /// What a page may read beyond the simple fields.
    private static let responseFields: [HTTPFieldName] = [
        .etag, .idempotentReplayed, .link, .location, "ratelimit", .retryAfter, .xCommitSeq, .xCorrelationID,
        .xRequestID, .xWorkspaceID,
    ]

    private let allowed: Set<String>

    init(_ allowed: [String]) { self.allowed = Set(allowed) }

    /// Reads a list of origins as browsers write them (`scheme://host` with the port unless it is the scheme's own);
    /// nil when one of them can never be an `Origin`, such as `*`.
    static func origins(_ text: String) -> [String]? {
        let origins = text.split(separator: ",").compactMap { Limits.trimmed(String($0)) }
        let isEach = origins.allSatisfy { origin in
            guard let scheme = ["http://", "https://"].first(where: { origin.hasPrefix($0) }) else { return false }
            let host = origin.dropFirst(scheme.count)
            return !host.isEmpty && origin == origin.lowercased()
                && host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"/?#@*\\\"".utf8.contains($0) }
        }
        return isEach && !origins.isEmpty ? origins : nil
    }

    func allows(_ origin: String) -> Bool { allowed.contains(origin) }

    /// What every answer carries: who may read it, and that it depends on who asks.
    func fields(for request: HTTPRequest) -> HTTPFields {
        guard !allowed.isEmpty else { return [:] }
        var fields: HTTPFields = [.vary: "Origin"]
        guard let origin = request.fields[.origin], allows(origin) else { return fields }
        fields.append(.accessControlAllowOrigin, origin)
        fields.append(.accessControlExposeHeaders, Self.list(Self.responseFields))
        return fields
    }

    /// What a preflight of an allowed origin is told besides; nothing for any other request.
    func preflight(_ request: HTTPRequest, methods: String) -> HTTPFields {
        guard request.method == .options, let origin = request.fields[.origin], allows(origin),
            request.fields.contains(.accessControlRequestMethod)
        else { return [:] }
        return [
            .accessControlAllowMethods: methods, .accessControlAllowHeaders: Self.list(Self.requestFields),
            .accessControlMaxAge: String(Self.maxAgeSeconds),
        ]
    }

    private static func list(_ names: [HTTPFieldName]) -> String { names.map(\.text).joined(separator: ", ") }
}
