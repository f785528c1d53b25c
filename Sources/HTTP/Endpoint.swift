/// An operation as both ends know it: method, path, the types of what goes in and comes out, and the status of success.
package struct Endpoint<Body, Answer>: Sendable {
    package var method: HTTPMethod
    /// A template: a segment in braces is a parameter, as in `/v1/runs/{run_id}`.
    package var path: String
    package var success: HTTPStatus

    package init(_ method: HTTPMethod, _ path: String, _ success: HTTPStatus = .ok) {
        (self.method, self.path, self.success) = (method, path, success)
    }

    /// The target of a request: parameters filled in, everything percent-encoded. A missing parameter is a bug.
    package func target(_ parameters: [String: String] = [:], query: [(String, String)] = []) -> String {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).map { segment -> String in
            guard segment.first == "{", segment.last == "}" else { return String(segment) }
            let name = String(segment.dropFirst().dropLast())
            guard let value = parameters[name] else { preconditionFailure("\(path) needs the parameter \(name)") }
            return PercentEncoding.encode(value)
        }
        return segments.joined(separator: "/") + PercentEncoding.query(query)
    }
}

/// Percent-encoding of what goes into a target.
package enum PercentEncoding {
    /// Everything but unreserved characters is encoded.
    package static func encode(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if ASCII.unreserved.contains(byte) {
                bytes.append(byte)
            } else {
                bytes += [ASCII.percent, ASCII.upperHexDigits[Int(byte >> 4)], ASCII.upperHexDigits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `?a=b&c=d`; empty without parameters.
    package static func query(_ parameters: [(String, String)]) -> String {
        guard !parameters.isEmpty else { return "" }
        return "?" + parameters.map { "\(encode($0.0))=\(encode($0.1))" }.joined(separator: "&")
    }
}
