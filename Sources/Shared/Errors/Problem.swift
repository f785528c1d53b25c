package import HTTP
package import JSON

/// RFC 9457 `application/problem+json` with the members that clients of the surface read (`contract/README.md` 1).
package struct Problem: Codable, Hashable, Sendable, SparselyWritten {
    package static let mediaType = "application/problem+json"

    package var type: String
    package var title: String
    package var status: Int
    package var detail: String
    package var instance: String
    /// The code, always a string; the same as ``reasonCode``.
    package var error: String
    package var reasonCode: String
    /// The sentence; the same as ``detail``.
    package var reason: String
    package var details: JSONObject?

    package init(status: HTTPStatus, code: String, detail: String, details: JSONObject = [:], requestID: String) {
        type = "/problems/\(code)"
        title = Self.title(of: code)
        self.status = status.code
        self.detail = detail
        instance = "/requests/\(requestID)"
        (error, reasonCode, reason) = (code, code, detail)
        self.details = details.isEmpty ? nil : details
    }

    package init(_ rejection: Rejection, requestID: String) {
        self.init(
            status: rejection.reason.status, code: rejection.reason.rawValue, detail: rejection.detail,
            details: rejection.details, requestID: requestID)
    }

    /// The known code, if this program knows it: an older client meets newer codes as text.
    package var code: ReasonCode? { ReasonCode(rawValue: reasonCode) }

    private static func title(of code: String) -> String {
        let words = code.split(separator: "_").joined(separator: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }
}
