import Crypto
import HTTP
import HTTPServer
import JSON
import Shared

// What all answers to GET have in common: validators, links to the next page, the choice of a format.

extension Answers {
    /// Hexadecimal digits of an entity tag: 128 bits, by which no two states of a thing are ever taken for one.
    private static let tagDigits = 32
    /// What is read may be kept by the client itself, if it asks each time whether it still holds. Credentials are only in
    /// the answers of commands, and those are `no-store`.
    private static let readCaching = "private, no-cache"

    /// A document that was read, with its validator. A client that has these bytes already is told just that
    /// (RFC 9110, 13.1.2). The tag is a digest of the bytes, so it holds whoever asks and for whatever workspace.
    static func document(
        _ body: [UInt8], _ mediaType: String = "application/json", fields: HTTPFields = [:], for request: HTTPRequest
    ) -> HTTPResponse {
        let tag = EntityTag(String(SHA256.hex(body).prefix(tagDigits)))
        var kept: HTTPFields = [.cacheControl: readCaching, .etag: tag.description]
        if let vary = fields[.vary] { kept.append(.vary, vary) }
        if tag.isKnown(by: request.fields.all(.ifNoneMatch)) { return HTTPResponse(.notModified, fields: kept) }
        kept.append(.contentType, mediaType)
        for (name, value) in fields where name != .vary { kept.append(name, value) }
        return HTTPResponse(.ok, fields: kept, body: body)
    }

    /// The same for a value; a list also links to its next page.
    static func document(_ answer: some Encodable, for request: HTTPRequest) throws -> HTTPResponse {
        let next = (answer as? any PagedAnswer)?.nextCursor
        return document(
            try JSON.encode(answer, nulls: .write), fields: nextPage(next, for: request), for: request)
    }

    /// The link to the next page, if there is one (RFC 8288).
    static func nextPage(_ cursor: String?, for request: HTTPRequest) -> HTTPFields {
        guard let cursor else { return [:] }
        return [.link: WebLink.next(after: request.target, cursor: cursor).description]
    }
}

extension RequestContext {
    /// The format that the caller wants most; without `Accept` the first.
    func format<Format: RawRepresentable & CaseIterable>(
        _ formats: Format.Type = Format.self
    ) throws(Rejection) -> Format where Format.RawValue == String {
        let offers = formats.allCases.map(\.rawValue)
        let wanted = request.fields.all(.accept)
        guard let format = AcceptedMediaTypes(wanted).best(of: offers).flatMap({ Format(rawValue: $0) }) else {
            throw Rejection(
                .notAcceptable,
                "accept: expected one of \(offers.joined(separator: ", ")), found '\(wanted.joined(separator: ", ").prefix(100))'",
                details: ["field": "accept", "allowed": .array(offers.map { .string($0) })])
        }
        return format
    }
}
