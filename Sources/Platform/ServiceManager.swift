import CLinux

/// Tells systemd how a service fares (sd_notify(3)), without libsystemd.
package enum ServiceManager {
    /// Sends lines such as `READY=1`; nothing happens where nobody listens.
    package static func notify(_ state: String) {
        guard let path = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }), !path.isEmpty else { return }
        _ = aos_notify(path, state)
    }
}
