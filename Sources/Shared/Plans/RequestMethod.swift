/// The methods that the `http` tool sends.
package enum RequestMethod: String, CaseIterable, Codable, Hashable, Sendable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"

    /// Whether the method only reads; such a request has no body.
    package var isRead: Bool {
        switch self {
        case .get, .head: true
        case .post, .put, .patch, .delete: false
        }
    }

    package var effect: Effect {
        switch self {
        case .get, .head: .none
        case .put, .delete: .idempotent
        case .post, .patch: .once
        }
    }
}
