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
