/// A request as handlers see it: valid by the grammar, with the body (if any) complete.
package struct HTTPRequest: Sendable, Hashable {
    package var method: HTTPMethod
    package var target: HTTPTarget
    package var fields: HTTPFields
    package var body: [UInt8]
    /// The address the connection comes from, without its port; nil where there is no connection.
    package var peer: String?

    package init(_ method: HTTPMethod, _ target: HTTPTarget, fields: HTTPFields = [:], body: [UInt8] = []) {
        (self.method, self.target, self.fields, self.body) = (method, target, fields, body)
    }
}

/// A response as handlers give it: the framing fields and `Date` are the connection's.
package struct HTTPResponse: Sendable, Hashable {
    package var status: HTTPStatus
    package var fields: HTTPFields
    package var body: [UInt8]

    package init(_ status: HTTPStatus, fields: HTTPFields = [:], body: [UInt8] = []) {
        (self.status, self.fields, self.body) = (status, fields, body)
    }
}
