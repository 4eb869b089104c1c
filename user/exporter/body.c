// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/body.h"

#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "datapath/scrape_all.h"

#define PIECE 16384

struct stream {
	struct scrape scrape;
	struct rendering rendering;
	bool gzip, ended;
	z_stream deflate;
	size_t at, length; /* of the piece */
	char piece[PIECE];
};

#define GZIP_WINDOW (15 + 16) /* zlib's way to say: with the head and tail of gzip */

struct stream *stream_new(const struct scrape *scrape, enum metrics_format format, bool gzip)
{
	struct stream *stream = must_alloc(1, sizeof(*stream));

	stream->scrape = *scrape;
	stream->rendering = (struct rendering){.scrape = &stream->scrape, .format = format};
	/* the fastest level: on lines that are so much alike the others gain next to nothing */
	stream->gzip = gzip && deflateInit2(&stream->deflate, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW,
					    8, Z_DEFAULT_STRATEGY) == Z_OK;
	stream->ended = gzip && !stream->gzip;
	return stream;
}

static void next_piece(struct stream *stream)
{
	stream->at = 0;
	stream->length = metrics_fill(&stream->rendering, stream->piece, PIECE);
}

static ssize_t read_plain(struct stream *stream, char *to, size_t room)
{
	size_t count;

	if (stream->at == stream->length)
		next_piece(stream);
	count = stream->length - stream->at;
	count = count < room ? count : room;
	memcpy(to, stream->piece + stream->at, count);
	stream->at += count;
	return count;
}

static ssize_t read_gzip(struct stream *stream, char *to, size_t room)
{
	z_stream *z = &stream->deflate;
	int result = Z_OK;

	z->next_out = (Bytef *)to;
	z->avail_out = room;
	while (z->avail_out && result == Z_OK) {
		if (!z->avail_in) {
			next_piece(stream);
			z->next_in = (Bytef *)stream->piece;
			z->avail_in = stream->length;
		}
		result = deflate(z, stream->length ? Z_NO_FLUSH : Z_FINISH);
	}
	stream->ended = result == Z_STREAM_END;
	if (result != Z_OK && result != Z_STREAM_END)
		return -1;
	return room - z->avail_out;
}

ssize_t stream_read(struct stream *stream, char *to, size_t room)
{
	if (!stream->gzip)
		return stream->ended ? -1 : read_plain(stream, to, room);
	return stream->ended ? 0 : read_gzip(stream, to, room);
}

void stream_free(struct stream *stream)
{
	if (stream->gzip)
		deflateEnd(&stream->deflate);
	scrape_free(&stream->scrape);
	free(stream);
}
