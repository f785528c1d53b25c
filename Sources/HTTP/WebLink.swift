/// A link to another resource, as `Link` has it (RFC 8288).
package struct WebLink: Hashable, Sendable, CustomStringConvertible {
    package enum Relation: String, Sendable {
        /// The next page of a list.
        case next
        /// A description of the service for programs (RFC 8631).
        case serviceDescription = "service-desc"
    }

    /// A URI reference: percent-encoded already.
    package var target: String
    package var relation: Relation

    package init(_ target: String, _ relation: Relation) { (self.target, self.relation) = (target, relation) }

    /// The same list from another cursor on: all other parameters stay.
    package static func next(after target: HTTPTarget, cursor: String) -> WebLink {
        let path = target.raw.prefix { $0 != "?" }
        let parameters = target.query.filter { $0.name != "cursor" }.map { ($0.name, $0.value) }
        return WebLink(path + PercentEncoding.query(parameters + [("cursor", cursor)]), .next)
    }

    package var description: String { "<\(target)>; rel=\"\(relation.rawValue)\"" }
}
