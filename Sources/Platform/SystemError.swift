import CLinux

/// A system call that failed: which one, on what, and the kernel's reason.
package struct SystemError: Error, Hashable, CustomStringConvertible {
    package var call: String
    package var subject: String
    package var number: Int32

    package init(_ call: String, _ subject: String = "", number: Int32 = errno) {
        (self.call, self.subject, self.number) = (call, subject, number)
    }

    package var description: String {
        "\(call)\(subject.isEmpty ? "" : " \(subject)"): \(String(cString: strerror(number)))"
    }

    package var isNotFound: Bool { number == ENOENT }
    package var isDiskFull: Bool { number == ENOSPC || number == EDQUOT }
    package var isAddressInUse: Bool { number == EADDRINUSE }
    package var isTimeout: Bool { number == ETIMEDOUT || number == EAGAIN }
    package var isConnectionRefused: Bool { number == ECONNREFUSED }
}

/// Repeats a call that a signal interrupted; throws what the kernel says otherwise.
@discardableResult
package func systemCall(_ call: String, _ subject: String = "", _ body: () -> Int) throws(SystemError) -> Int {
    while true {
        let result = body()
        if result >= 0 { return result }
        if errno != EINTR { throw SystemError(call, subject) }
    }
}

/// The kernel's reason for the last failure on this thread; a macro in C, so Swift needs the shim.
var errno: Int32 { aos_errno() }
