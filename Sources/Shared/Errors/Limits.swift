/// Checks of what people and programs send, each with the limit's name in its sentence.
package enum Limits {
    package static let titleBytesMax = 500
    package static let textBytesMax = 16_384
    package static let nameBytesMax = 200
    package static let tagsMax = 50
    package static let jsonBytesMax = 512 << 10

    /// The trimmed text, or nil if it is blank.
    package static func trimmed(_ text: String?) -> String? {
        guard let text else { return nil }
        let scalars = text.unicodeScalars
        let isSpace = { (scalar: Unicode.Scalar) in scalar.properties.isWhitespace }
        guard let first = scalars.firstIndex(where: { !isSpace($0) }),
            let last = scalars.lastIndex(where: { !isSpace($0) })
        else { return nil }
        return String(scalars[first...last])
    }

    /// The text, or as much of its beginning as has so many bytes and ends between two characters.
    package static func cut(_ text: String, bytesMax: Int) -> String {
        var end = text.utf8.index(text.startIndex, offsetBy: bytesMax, limitedBy: text.endIndex) ?? text.endIndex
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }

    package static func check(_ text: String?, _ field: String, bytesMax: Int) throws(Rejection) {
        guard let count = text?.utf8.count, count > bytesMax else { return }
        throw .field(field, .invalidField, "\(field): expected at most \(bytesMax) bytes, found \(count)")
    }

    /// A required, non-blank text.
    package static func require(
        _ text: String?, _ field: String, bytesMax: Int, _ missing: ReasonCode = .missingField
    ) throws(Rejection) -> String {
        guard let text = trimmed(text) else {
            throw .field(field, missing, "\(field) is required and must not be blank")
        }
        try check(text, field, bytesMax: bytesMax)
        return text
    }
}
