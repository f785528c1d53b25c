/// The cookies of a request (RFC 6265, 5.4), as far as a server needs them.
package enum Cookies {
    /// All values that the request's cookies have under this name, without quotes: browsers may send one for each path.
    package static func values(of name: String, in fields: HTTPFields) -> [String] {
        fields.all(.cookie).flatMap { $0.split(separator: ";") }.compactMap { pair in
            let pair = pair.drop { $0 == " " }
            guard let equals = pair.firstIndex(of: "="), pair[..<equals] == name else { return nil }
            let value = pair[pair.index(after: equals)...]
            let isQuoted = value.count >= 2 && value.first == "\"" && value.last == "\""
            return String(isQuoted ? value.dropFirst().dropLast() : value)
        }
    }

    /// The value of `Set-Cookie` for a credential: no script reads it, no other site sends it.
    /// - Parameter maxAgeSeconds: Zero takes the cookie away.
    package static func credential(
        _ name: String, _ value: String, maxAgeSeconds: Int64, isSecure: Bool
    ) -> String {
        "\(name)=\(value); Max-Age=\(maxAgeSeconds); Path=/; HttpOnly; SameSite=Strict" + (isSecure ? "; Secure" : "")
    }
}
