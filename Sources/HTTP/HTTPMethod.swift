/// A request method. Other than the constants, any token is a method that no route knows.
package struct HTTPMethod: Hashable, Sendable, RawRepresentable, CustomStringConvertible {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    package static let get = HTTPMethod(rawValue: "GET")
    package static let head = HTTPMethod(rawValue: "HEAD")
    package static let post = HTTPMethod(rawValue: "POST")
    package static let put = HTTPMethod(rawValue: "PUT")
    package static let patch = HTTPMethod(rawValue: "PATCH")
    package static let delete = HTTPMethod(rawValue: "DELETE")
    package static let options = HTTPMethod(rawValue: "OPTIONS")
    package static let trace = HTTPMethod(rawValue: "TRACE")
    package static let query = HTTPMethod(rawValue: "QUERY")

    /// The methods a request may have; any other is answered with 501. TRACE and QUERY are known, and no
    /// route has them.
    package static let implemented: [HTTPMethod] = [
        .get, .head, .post, .put, .patch, .delete, .options, .trace, .query,
    ]

    /// Whether doing it twice is the same as doing it once.
    package var isIdempotent: Bool { self != .post && self != .patch }

    package var description: String { rawValue }
}
