/// The name of one state of a resource (RFC 9110, 8.8.3): a strong one, so the bytes are the same when the tags are.
package struct EntityTag: Hashable, Sendable, CustomStringConvertible {
    /// What stands between the quotes.
    package let opaque: String

    /// - Parameter opaque: Visible ASCII without quotes; anything else is a bug.
    package init(_ opaque: String) {
        precondition(
            opaque.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") },
            "an entity tag is visible ASCII without quotes")
        self.opaque = opaque
    }

    /// As it stands in `ETag`.
    package var description: String { "\"\(opaque)\"" }

    /// Whether a client with these `If-None-Match` fields has this state already: any of its tags is this one, by weak
    /// comparison, or it says `*` (RFC 9110, 13.1.2).
    package func isKnown(by fields: [String]) -> Bool {
        fields.lazy.flatMap { FieldList.elements($0) }.contains { tag in
            tag == "*" || (tag.hasPrefix("W/") ? tag.dropFirst(2) : tag[...]) == description
        }
    }
}
