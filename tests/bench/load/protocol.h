// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tests/bench/load/key_picker.h"
#include "tests/bench/load/key_space.h"
#include "tests/bench/load/random.h"

namespace bench {

// One request and how far its reply has come.
struct Request {
    bool is_set = false;
    std::uint32_t width = 1;   // keys of a GET; above 1 it is MGET or a get of several keys
    Key key = 0;               // of a request with one key
    Random keys{0};            // picks the keys of a request with several
    std::uint64_t due_ns = 0;  // when it was meant to leave

    std::uint32_t seen = 0;        // values of the reply so far
    std::uint64_t unseen_sum = 0;  // of the keys still to come, where their order is free
};

// What the reader does after a line of a reply.
enum class Step {
    kWrong,     // this is not the reply that is due
    kLine,      // another line follows
    kBody,      // a value follows, then another line
    kLastBody,  // a value follows and ends the reply
    kDone,      // the reply is complete
};

// Writes requests and knows what has to come back.
class Protocol {
  public:
    Protocol(const KeySpace& space, const KeyPicker& picker) : space_(space), picker_(picker) {}
    Protocol(const Protocol&) = delete;
    Protocol& operator=(const Protocol&) = delete;
    virtual ~Protocol() = default;

    // Appends the request to `out`.
    virtual void write(Request& request, std::string& out) const = 0;
    // `line` is without its CRLF. After kBody and kLastBody, `body` is the value that must follow,
    // with its CRLF; it lives as long as the key space.
    virtual Step read(Request& request, std::string_view line, std::string_view& body) const = 0;

  protected:
    [[nodiscard]] Key pick(Random& random) const { return picker_.pick(random); }

    const KeySpace& space_;  // NOLINT(misc-non-private-member-variables-in-classes)

  private:
    const KeyPicker& picker_;
};

// `name` is redis, memcached (classic text) or meta; nullptr for another.
std::unique_ptr<Protocol> make_protocol(std::string_view name, const KeySpace& space,
                                        const KeyPicker& picker);

// Appends a number in decimal.
void append_number(std::string& out, std::uint64_t number);
// The number a text starts with; 0 if it starts with none.
std::uint64_t leading_number(std::string_view text);

}  // namespace bench
