// SPDX-License-Identifier: Apache-2.0
#include "common/control/codec.h"

#include <bit>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/base/assert.h"
#include "common/base/format.h"

namespace ringmaster::control {

namespace {

// The fewest bytes one element of a list takes on the wire: a count is checked with it before
// memory is reserved. No default: a new element type must say it.
template <class T>
struct LeastBytes;
template <>
struct LeastBytes<uint32_t> : std::integral_constant<size_t, 4> {};
template <>
struct LeastBytes<uint64_t> : std::integral_constant<size_t, 8> {};
template <>
struct LeastBytes<int64_t> : std::integral_constant<size_t, 8> {};
template <>
struct LeastBytes<PoolHealth> : std::integral_constant<size_t, 8 + 1 + 4> {};
template <>
struct LeastBytes<ListenerUse> : std::integral_constant<size_t, 4 + 4> {};
template <>
struct LeastBytes<RingServerState> : std::integral_constant<size_t, 4 + 4 + 8 + 4> {};
template <>
struct LeastBytes<RingState> : std::integral_constant<size_t, 8 + 4 + 8 + 4> {};

// On the wire the lowest byte comes first.
template <class T>
void store(T value, char* to) noexcept {
    if constexpr (std::endian::native == std::endian::little) {
        std::memcpy(to, &value, sizeof(T));
    } else {
        const auto bits = static_cast<std::make_unsigned_t<T>>(value);
        for (size_t i = 0; i < sizeof(T); ++i) {
            to[i] = static_cast<char>(static_cast<unsigned char>(bits >> (8 * i)));
        }
    }
}

template <class T>
T load(const char* from) noexcept {
    T value = 0;
    if constexpr (std::endian::native == std::endian::little) {
        std::memcpy(&value, from, sizeof(T));
    } else {
        std::make_unsigned_t<T> bits = 0;
        for (size_t i = sizeof(T); i-- > 0;) {
            bits = static_cast<decltype(bits)>((static_cast<uint64_t>(bits) << 8) |
                                               static_cast<unsigned char>(from[i]));
        }
        value = static_cast<T>(bits);
    }
    return value;
}

class Writer {
  public:
    template <class T>
    using Of = const T;

    explicit Writer(std::string& out) : out_(out) {}

    template <class... Ts>
    void operator()(const Ts&... values) {
        (put(values), ...);
    }

    template <class T>
    void put_integer(T value) {
        char bytes[sizeof(T)];
        store(value, bytes);
        out_.append(bytes, sizeof(T));
    }

  private:
    void put(bool value) { out_.push_back(value ? '\1' : '\0'); }
    void put(uint32_t value) { put_integer(value); }
    void put(uint64_t value) { put_integer(value); }
    void put(int64_t value) { put_integer(value); }
    void put(const std::string& value) {
        put_count(value.size());
        out_.append(value);
    }
    template <class T>
    void put(const std::vector<T>& values) {
        put_count(values.size());
        if constexpr (std::is_integral_v<T>) {
            put_integers(values);
        } else {
            for (const T& value : values) {
                put(value);
            }
        }
    }
    // The counters of all servers of a worker are one such list, every second.
    template <class T>
    void put_integers(const std::vector<T>& values) {
        if constexpr (std::endian::native == std::endian::little) {
            out_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
        } else {
            for (const T value : values) {
                put_integer(value);
            }
        }
    }
    template <class T>
    void put(const T& value) {
        fields(*this, value);
    }
    void put_count(size_t count) {
        RM_ASSERT(count <= kMaxFrameBytes);
        put_integer(static_cast<uint32_t>(count));
    }

    std::string& out_;
};

// After the first failure every read yields zero and ok() is false.
class Reader {
  public:
    template <class T>
    using Of = T;

    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    template <class... Ts>
    void operator()(Ts&... values) {
        (get(values), ...);
    }

    [[nodiscard]] bool ok() const noexcept { return why_ == nullptr; }
    // Requires: !ok().
    [[nodiscard]] const char* why() const noexcept { return why_; }
    [[nodiscard]] size_t left_bytes() const noexcept { return rest_.size(); }

    template <class T>
    T get_integer() {
        if (rest_.size() < sizeof(T)) {
            fail("is cut short");
            return 0;
        }
        const T value = load<T>(rest_.data());
        rest_.remove_prefix(sizeof(T));
        return value;
    }

  private:
    void get(bool& value) {
        const auto byte = get_integer<uint8_t>();
        if (byte > 1) {
            fail("has a truth value that is neither 0 nor 1");
        }
        value = byte == 1;
    }
    void get(uint32_t& value) { value = get_integer<uint32_t>(); }
    void get(uint64_t& value) { value = get_integer<uint64_t>(); }
    void get(int64_t& value) { value = get_integer<int64_t>(); }
    void get(std::string& value) {
        const size_t size = get_count(1);
        value.assign(rest_.substr(0, size));
        rest_.remove_prefix(size);
    }
    template <class T>
    void get(std::vector<T>& values) {
        const size_t count = get_count(LeastBytes<T>::value);
        values.clear();
        values.reserve(count);
        for (size_t i = 0; i < count && ok(); ++i) {
            get(values.emplace_back());
        }
    }
    template <class T>
    void get(T& value) {
        fields(*this, value);
    }
    size_t get_count(size_t least_bytes) {
        const size_t count = get_integer<uint32_t>();
        if (count > rest_.size() / least_bytes) {
            fail("announces more than it holds");
            return 0;
        }
        return count;
    }
    void fail(const char* why) {
        why_ = why_ == nullptr ? why : why_;
        rest_ = {};
    }

    std::string_view rest_;
    const char* why_ = nullptr;
};

// ---- one list of fields a message: writing and reading both come from it ----

template <class A>
void fields(A& all, typename A::template Of<Hello>& m) {
    all(m.schema, m.slot, m.pid);
}
template <class A>
void fields(A& all, typename A::template Of<Ready>& m) {
    all(m.generation);
}
template <class A>
void fields(A& all, typename A::template Of<Failed>& m) {
    all(m.reason);
}
template <class A>
void fields(A& all, typename A::template Of<Beat>& m) {
    all(m.generation, m.client_connections, m.lag_ms, m.pools);
}
template <class A>
void fields(A& all, typename A::template Of<PoolHealth>& m) {
    all(m.epoch, m.in_fallback, m.last_success_ms);
}
template <class A>
void fields(A& all, typename A::template Of<Suspect>& m) {
    all(m.generation, m.pool, m.server, m.epoch, m.cause, m.first_failure_ms, m.sent_ms);
}
template <class A>
void fields(A& all, typename A::template Of<Prepared>& m) {
    all(m.generation, m.reason);
}
template <class A>
void fields(A& all, typename A::template Of<Committed>& m) {
    all(m.generation, m.held);
}
template <class A>
void fields(A& all, typename A::template Of<StatsReport>& m) {
    all(m.request_id, m.generation, m.total_connections, m.curr_connections, m.values);
}
template <class A>
void fields(A& all, typename A::template Of<ConnectFailed>& m) {
    all(m.pool, m.shard);
}
template <class A>
void fields(A&, typename A::template Of<AcceptStopped>&) {}
template <class A>
void fields(A& all, typename A::template Of<ClientAsk>& m) {
    all(m.pool);
}
template <class A>
void fields(A& all, typename A::template Of<ClientGone>& m) {
    all(m.pool, m.count);
}
template <class A>
void fields(A& all, typename A::template Of<ClientAnswer>& m) {
    all(m.pool, m.granted);
}
template <class A>
void fields(A& all, typename A::template Of<ConfigBytes>& m) {
    all(m.generation, m.memory_bytes, m.file_name, m.bytes);
}
template <class A>
void fields(A& all, typename A::template Of<ListenerUse>& m) {
    all(m.listener, m.pool);
}
template <class A>
void fields(A& all, typename A::template Of<Listeners>& m) {
    all(m.generation, m.uses);
}
template <class A>
void fields(A& all, typename A::template Of<ReleaseListeners>& m) {
    all(m.listeners);
}
template <class A>
void fields(A& all, typename A::template Of<RingServerState>& m) {
    all(m.verdict, m.cause, m.probing_until_ms, m.address);
}
template <class A>
void fields(A& all, typename A::template Of<RingState>& m) {
    all(m.generation, m.pool, m.epoch, m.servers);
}
template <class A>
void fields(A& all, typename A::template Of<Reconnect>& m) {
    all(m.generation, m.pool, m.server);
}
template <class A>
void fields(A& all, typename A::template Of<Prepare>& m) {
    all(m.generation, m.memory_bytes, m.file_name, m.bytes);
}
template <class A>
void fields(A& all, typename A::template Of<Commit>& m) {
    all(m.generation, m.uses, m.removed, m.rings, m.drain_timeout_ms, m.surplus);
}
template <class A>
void fields(A& all, typename A::template Of<Abort>& m) {
    all(m.generation);
}
template <class A>
void fields(A&, typename A::template Of<Start>&) {}
template <class A>
void fields(A& all, typename A::template Of<StatsRequest>& m) {
    all(m.request_id);
}
template <class A>
void fields(A& all, typename A::template Of<LogLevel>& m) {
    all(m.level);
}
template <class A>
void fields(A&, typename A::template Of<LogReopen>&) {}
template <class A>
void fields(A& all, typename A::template Of<Stop>& m) {
    all(m.graceful, m.drain, m.timeout_ms);
}

// ---- frames ----

template <class M>
void encode_frame(MessageType type, const M& message, std::string& out) {
    const size_t start = out.size();
    Writer writer(out);
    writer.put_integer(uint32_t{0});
    writer.put_integer(static_cast<uint16_t>(type));
    fields(writer, message);
    const size_t frame_bytes = out.size() - start;
    RM_ASSERT(frame_bytes <= kMaxFrameBytes);
    std::string length;
    Writer(length).put_integer(static_cast<uint32_t>(frame_bytes - kFrameHeaderBytes));
    out.replace(start, length.size(), length);
}

template <class M>
void decode_payload(Reader& reader, Message& message) {
    M decoded;
    fields(reader, decoded);
    message = std::move(decoded);
}

// False when there is no such type.
bool decode_typed(MessageType type, Reader& reader, Message& message) {
    switch (type) {
#define RM_MESSAGE(number, name)               \
    case MessageType::k##name:                 \
        decode_payload<name>(reader, message); \
        return true;
#include "common/control/messages.def"
#undef RM_MESSAGE
        default:
            return false;
    }
}

bool may_send(Sender sender, uint16_t type) {
    switch (sender) {
        case Sender::kWorker:
            return type < kFirstMasterType;
        case Sender::kMaster:
            return type >= kFirstMasterType;
        case Sender::kAnyone:
            break;
    }
    return true;
}

// A stream that carried one big config should not hold its memory for ever.
constexpr size_t kKeepBytes = size_t{256} << 10;

constexpr MessageType kTypes[] = {
#define RM_MESSAGE(number, name) MessageType::k##name,
#include "common/control/messages.def"
#undef RM_MESSAGE
};

}  // namespace

#define RM_MESSAGE(number, name)                          \
    void encode(const name& message, std::string& out) {  \
        encode_frame(MessageType::k##name, message, out); \
    }
#include "common/control/messages.def"
#undef RM_MESSAGE

MessageType type_of(const Message& message) noexcept {
    RM_ASSERT(message.index() != 0);
    return kTypes[message.index() - 1];
}

std::string_view name_of(MessageType type) noexcept {
    switch (type) {
#define RM_MESSAGE(number, name) \
    case MessageType::k##name:   \
        return #name;
#include "common/control/messages.def"
#undef RM_MESSAGE
        default:
            return "unknown";
    }
}

void FrameDecoder::append(std::string_view bytes) {
    if (bad_) {
        return;
    }
    compact();
    buffer_.append(bytes);
}

FrameDecoder::Result FrameDecoder::next(Message& message) {
    if (bad_) {
        return Result::kBad;
    }
    const std::string_view rest = std::string_view(buffer_).substr(read_);
    if (rest.size() < kFrameHeaderBytes) {
        compact();
        return Result::kNeedMore;
    }
    Reader header(rest);
    const size_t length = header.get_integer<uint32_t>();
    const auto number = header.get_integer<uint16_t>();
    const auto type = static_cast<MessageType>(number);
    if (length > kMaxFrameBytes - kFrameHeaderBytes) {
        return bad(
            base::format("a frame of {} bytes is over the limit of {}", length, kMaxFrameBytes));
    }
    if (!may_send(sender_, number)) {
        return bad(base::format("message type {} ({}) is not the other side's to send", number,
                                name_of(type)));
    }
    if (rest.size() - kFrameHeaderBytes < length) {
        return Result::kNeedMore;
    }
    Reader payload(rest.substr(kFrameHeaderBytes, length));
    if (!decode_typed(type, payload, message)) {
        return bad(base::format("unknown message type {}", number));
    }
    if (!payload.ok()) {
        message = std::monostate{};
        return bad(base::format("message {} {}", name_of(type), payload.why()));
    }
    if (payload.left_bytes() != 0) {
        message = std::monostate{};
        return bad(
            base::format("message {} has {} bytes too many", name_of(type), payload.left_bytes()));
    }
    read_ += kFrameHeaderBytes + length;
    return Result::kMessage;
}

FrameDecoder::Result FrameDecoder::bad(std::string why) {
    bad_ = true;
    error_ = std::move(why);
    std::string().swap(buffer_);
    read_ = 0;
    return Result::kBad;
}

// Moving the rest costs at most what was taken since: frames read one by one stay linear.
void FrameDecoder::compact() {
    if (read_ < buffer_.size() - read_) {
        return;
    }
    buffer_.erase(0, read_);
    read_ = 0;
    if (buffer_.capacity() > kKeepBytes && buffer_.size() < kKeepBytes / 4) {
        std::string(buffer_).swap(buffer_);  // shrink_to_fit does nothing without exceptions
    }
}

}  // namespace ringmaster::control
