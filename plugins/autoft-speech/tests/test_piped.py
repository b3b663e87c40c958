"""Commands in `wav.scp` that only decode a file, and those that do more."""

from __future__ import annotations

import pytest

from autoft_speech._piped import file_of


@pytest.mark.parametrize(
    "command",
    [
        *("flac -c -d -s a/b.wav |", "/usr/bin/flac -cds --silent a/b.wav|", "cat a/b.wav |", "cat 'a/b.wav' |"),
        *("sph2pipe -f wav -p a/b.wav |", "$KALDI_ROOT/x/sph2pipe -f wav a/b.wav |".replace("$KALDI_ROOT", "/k")),
        *("sox a/b.wav -t wav -r 16000 - |", "sox -t wav a/b.wav -r 8k -c 1 -b 16 -t wav - |"),
        *("sox a/b.wav -t wav - rate 16000 |", "sox -G a/b.wav -t wav -e signed-integer - channels 1 |"),
        "ffmpeg -v 8 -i a/b.wav -f wav -ar 16000 -ac 1 - |",
        "ffmpeg -nostdin -loglevel error -i a/b.wav -acodec pcm_s16le -f wav pipe:1 |",
    ],
)
def test_a_command_that_only_decodes(command: str) -> None:
    assert file_of(command) == "a/b.wav"


@pytest.mark.parametrize(
    "command",
    [
        *("sph2pipe -f wav -p -c 1 a.sph |", "sox a.wav -t wav - remix 1 |", "sox a.wav -t wav - trim 0 5 |"),
        *("sox a.wav -t wav - speed 1.1 |", "sox --vol 0.5 -t wav a.wav -t wav - |", "sox -m a.wav b.wav -t wav - |"),
        *(
            "ffmpeg -ss 5 -i a.wav -f wav - |",
            "ffmpeg -i a.wav -i b.wav -f wav - |",
            "ffmpeg -i a.wav -af x -f wav - |",
        ),
        *("cat a.wav b.wav |", "cat a.wav | sox - -t wav - |", "rm -r a |", "cat 'a.wav |", "cat $(rm a) |", "|", "x|"),
        *("sox a.wav -t wav -c 2 - |", "sox - -t wav - |", "flac -c -d -s --until=5 a.flac |", "sox a.wav -r |"),
    ],
)
def test_a_command_that_does_more(command: str) -> None:
    assert not file_of(command)
