/// A response status: the code is what counts, the phrase is for people.
package struct HTTPStatus: Hashable, Sendable, CustomStringConvertible {
    package let code: Int

    /// - Parameter code: Three digits; anything else is a bug.
    package init(code: Int) {
        precondition((100...999).contains(code), "an HTTP status has three digits, not \(code)")
        self.init(known: code)
    }

    private init(known code: Int) { self.code = code }

    package static let `continue` = HTTPStatus(known: 100)
    package static let switchingProtocols = HTTPStatus(known: 101)
    package static let ok = HTTPStatus(known: 200)
    package static let created = HTTPStatus(known: 201)
    package static let accepted = HTTPStatus(known: 202)
    package static let noContent = HTTPStatus(known: 204)
    package static let resetContent = HTTPStatus(known: 205)
    package static let partialContent = HTTPStatus(known: 206)
    package static let movedPermanently = HTTPStatus(known: 301)
    package static let found = HTTPStatus(known: 302)
    package static let seeOther = HTTPStatus(known: 303)
    package static let notModified = HTTPStatus(known: 304)
    package static let temporaryRedirect = HTTPStatus(known: 307)
    package static let permanentRedirect = HTTPStatus(known: 308)
    package static let badRequest = HTTPStatus(known: 400)
    package static let unauthorized = HTTPStatus(known: 401)
    package static let paymentRequired = HTTPStatus(known: 402)
    package static let forbidden = HTTPStatus(known: 403)
    package static let notFound = HTTPStatus(known: 404)
    package static let methodNotAllowed = HTTPStatus(known: 405)
    package static let notAcceptable = HTTPStatus(known: 406)
    package static let requestTimeout = HTTPStatus(known: 408)
    package static let conflict = HTTPStatus(known: 409)
    package static let gone = HTTPStatus(known: 410)
    package static let lengthRequired = HTTPStatus(known: 411)
    package static let preconditionFailed = HTTPStatus(known: 412)
    package static let contentTooLarge = HTTPStatus(known: 413)
    package static let uriTooLong = HTTPStatus(known: 414)
    package static let unsupportedMediaType = HTTPStatus(known: 415)
    package static let rangeNotSatisfiable = HTTPStatus(known: 416)
    package static let expectationFailed = HTTPStatus(known: 417)
    package static let misdirectedRequest = HTTPStatus(known: 421)
    package static let unprocessable = HTTPStatus(known: 422)
    package static let locked = HTTPStatus(known: 423)
    package static let failedDependency = HTTPStatus(known: 424)
    package static let upgradeRequired = HTTPStatus(known: 426)
    package static let preconditionRequired = HTTPStatus(known: 428)
    package static let tooManyRequests = HTTPStatus(known: 429)
    package static let headerFieldsTooLarge = HTTPStatus(known: 431)
    package static let internalServerError = HTTPStatus(known: 500)
    package static let notImplemented = HTTPStatus(known: 501)
    package static let badGateway = HTTPStatus(known: 502)
    package static let serviceUnavailable = HTTPStatus(known: 503)
    package static let gatewayTimeout = HTTPStatus(known: 504)
    package static let versionNotSupported = HTTPStatus(known: 505)
    package static let insufficientStorage = HTTPStatus(known: 507)

    package var isInformational: Bool { code < 200 }
    package var isSuccess: Bool { (200..<300).contains(code) }
    package var isRedirect: Bool { (300..<400).contains(code) }

    /// Whether a response with this status never has a body, whatever the request.
    package var forbidsBody: Bool { code < 200 || code == 204 || code == 304 }

    package var description: String { "\(code) \(phrase)" }

    package var phrase: String {
        switch code {
        case 100: "Continue"
        case 101: "Switching Protocols"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 205: "Reset Content"
        case 206: "Partial Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 402: "Payment Required"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 423: "Locked"
        case 424: "Failed Dependency"
        case 426: "Upgrade Required"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 507: "Insufficient Storage"
        default: "Status \(code)"
        }
    }
}
