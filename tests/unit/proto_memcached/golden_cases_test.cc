// SPDX-License-Identifier: Apache-2.0
// Holds the request parser against memcache_cases.jsonl: what nutcracker 0.5.0 and, asked directly,
// memcached 1.6.18 answered to each request.
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/proto/memcached/reply_parser.h"
#include "feed.h"
#include "recorded.h"

using namespace ringmaster::proto;
using namespace ringmaster::proto::memcached;

namespace {

bool is_error(const std::string& reply) {
    return reply.starts_with("ERROR") || reply.starts_with("CLIENT_ERROR") ||
           reply.starts_with("SERVER_ERROR");
}

// The direct server's next reply, cut off `replies`.
std::string take_reply(std::string& replies) {
    ReplyParser parser;
    if (parser.parse(replies.data(), replies.size()) != ParseStatus::kDone) {
        return "";
    }
    std::string reply = replies.substr(0, parser.position());
    replies.erase(0, parser.position());
    return reply;
}

// Where the proxy says no to what a server takes, by intention.
const std::set<std::string> kStricter = {
    "tab in key",         // control bytes are refused
    "ctrl key",           //
    "nul key",            //
    "set vlen overflow",  // memcached 1.6.18 takes 2^32 + 1 bytes for 1
    "binary",
    "watch",  // a log of the server's own: which one's, nobody could tell
};

struct Verdicts {
    bool forwarded = false;
    bool quit = false;
    bool rest_incomplete = false;
};

Verdicts check_case(const std::string& label, std::string request, std::string direct,
                    size_t feed_bytes) {
    Verdicts verdicts;
    while (!request.empty()) {
        const Parsed parsed = parse_request(request, feed_bytes);
        if (parsed.status == ParseStatus::kNeedMore) {
            verdicts.rest_incomplete = true;
            break;
        }
        if (parsed.status != ParseStatus::kDone) {
            CHECK(kStricter.count(label) == 1);
            break;
        }
        request.erase(0, parsed.bytes);
        if (parsed.command == "quit") {
            verdicts.quit = true;
            break;
        }
        const bool refused = !parsed.command.empty() &&
                             find_command_or_null(parsed.command)->shape == Shape::kRefused;
        if ((parsed.command == "stats" || parsed.command == "mn") && parsed.error.empty()) {
            verdicts.forwarded = true;  // answered by the proxy itself
        } else if (parsed.error.empty()) {
            verdicts.forwarded = true;
            const std::string reply = parsed.noreply ? "" : take_reply(direct);
            CHECK((parsed.noreply || !reply.empty()));
        } else if (!refused && kStricter.count(label) == 0) {
            CHECK(take_reply(direct) == parsed.error);
        }
    }
    return verdicts;
}

}  // namespace

TEST_CASE("memcached request: agrees with nutcracker and memcached on every recorded case") {
    std::ifstream file(RM_GOLDEN_DIR "/memcache_cases.jsonl");
    int cases = 0;
    for (std::string line; std::getline(file, line); ++cases) {
        const std::string label = text_field(line, "label");
        CAPTURE(label);
        const bool proxy_closed = line.find("\"proxy_closed\": true") != std::string::npos;
        const bool direct_closed = line.find("\"direct_closed\": true") != std::string::npos;
        const std::string request = hex_field(line, "request_hex");
        const std::string direct = hex_field(line, "direct_reply_hex");
        const std::string proxy = hex_field(line, "proxy_reply_hex");
        for_each_feed_size([&](size_t feed_bytes) {
            const Verdicts verdicts = check_case(label, request, direct, feed_bytes);
            CHECK(verdicts.quit == direct_closed);
            // A silent server waits for the rest of the request, and so does the proxy.
            const bool is_incomplete = direct.empty() && !direct_closed;
            CHECK(verdicts.rest_incomplete == is_incomplete);
            // What nutcracker forwards is forwarded, unless a server would answer it twice.
            const bool nutcracker_forwards = !proxy_closed && !proxy.empty();
            if (nutcracker_forwards && kStricter.count(label) == 0 && label != "huge exp") {
                CHECK(verdicts.forwarded);
            }
            CHECK((verdicts.forwarded || verdicts.quit || verdicts.rest_incomplete ||
                   kStricter.count(label) == 1 || is_error(direct) || proxy_closed));
        });
    }
    CHECK(cases == 84);
}
