"""Transfer one file: from the Hugging Face hub with huggingface_hub, from other origins with pooch.

After an error, pooch downloads the whole file again. For files of the hub, the part that was downloaded before an error
or a kill stays in a file with a name derived from URL and ETag, and the download resumes there. If the ETag changes,
the download begins again.
"""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, NoReturn
from urllib.parse import urljoin, urlsplit

from chat_corpus.errors import ChatCorpusError
from chat_corpus.fetching import packages
from chat_corpus.fetching.plan import Item
from chat_corpus.messages import Message, displayed, message
from chat_corpus.sources.origins import RemoteFile

#: A function that is called with the number of bytes of a file so far.
Progress = Callable[[int], None]
#: Number of further attempts for a file that is not on the hub. pooch waits one second before the first, two before
#: the second.
ATTEMPTS = 3
#: Timeout without an answer of the server, in seconds.
TIMEOUT = 30
#: Suffix of a file of the hub during the download.
INCOMPLETE = ".incomplete"
#: The share by which a file may exceed its stated size, and the maximum number of bytes if no size is stated.
_TOLERANCE, _LARGEST = 0.01, 1 << 35
_CHUNK = 1 << 16
#: Status codes below 500 for which a further attempt may succeed.
_TEMPORARY = (408, 425, 429)
_SHA256, _GIT_BLOB = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{40}")


class UnreachableError(ChatCorpusError):
    """The server of a file cannot be reached, so that further files there would fail too."""


class _Counted:
    """A stream that reports the number of bytes written, and raises ChatCorpusError beyond a limit."""

    def __init__(self, stream: IO[bytes], url: str, stated: int | None, progress: Progress) -> None:
        self._stream, self._url, self._progress = stream, url, progress
        self._limit = _LARGEST if stated is None else int(stated * (1 + _TOLERANCE)) + 1

    def write(self, data: bytes) -> int:
        written = self._stream.write(data)
        if self._stream.tell() > self._limit:
            raise ChatCorpusError(
                message(
                    "{url}: more than {limit:,} bytes arrived; this is not the file at the origin",
                    url=displayed(self._url),
                    limit=self._limit,
                )
            )
        self._progress(self._stream.tell())
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def transfer(item: Item, staging: Path, progress: Progress) -> tuple[Path, RemoteFile]:
    """Download a file into the folder `staging`. Return its path there, and the file with all known digests.

    Raises UnreachableError if the server never answered, ChatCorpusError if the file cannot be downloaded for a
    different reason, UsageError if the package for it is not installed, and OSError if it cannot be written.
    """
    if item.origin.hub:
        return _from_hub(item, staging, progress)
    return _plain(item, staging, progress), item.file


def _plain(item: Item, staging: Path, progress: Progress) -> Path:
    pooch = packages.pooch()
    import requests

    name = f"{hashlib.sha256(item.url.encode()).hexdigest()[:16]}.part"
    answers = []

    def check(answer: Any, **_: object) -> None:
        answers.append(answer.url)
        _check(answer)

    headers = {"Accept-Encoding": "identity", "User-Agent": "chat-corpus"}
    download = pooch.HTTPDownloader(chunk_size=_CHUNK, timeout=TIMEOUT, headers=headers, hooks={"response": check})

    def downloader(url: str, target: str, keeper: Any) -> None:
        with Path(target).open("wb") as stream:
            download(url, _Counted(stream, url, item.file.bytes, progress), keeper)

    keeper = pooch.create(
        path=staging, base_url="", registry={name: None}, urls={name: item.url}, retry_if_failed=ATTEMPTS
    )
    try:
        return Path(keeper.fetch(name, downloader=downloader))
    except requests.exceptions.RequestException as error:  # a subclass of OSError, but not an error of the disk
        kind = ChatCorpusError if answers else UnreachableError
        raise _failed(item.url, _reason(error, requests), kind) from error


def _check(answer: Any) -> None:
    """Raise ChatCorpusError for an error that further attempts cannot solve, or a redirect that is not allowed."""
    if answer.is_redirect:
        check_redirect(answer.url, answer.headers.get("location", ""))
    elif 400 <= answer.status_code < 500 and answer.status_code not in _TEMPORARY:
        _refuse(answer.url, answer.status_code)


def check_redirect(url: str, location: str) -> None:
    """Raise ChatCorpusError if a redirect leads to an address that is not HTTP or HTTPS, or from HTTPS to HTTP."""
    target = urljoin(url, location)
    scheme, before = urlsplit(target).scheme, urlsplit(url).scheme
    if scheme == "https" or (scheme == "http" and before == "http"):
        return
    raise ChatCorpusError(
        message(
            "{url}: the server redirects to {target}, which is not followed; name another address with --from",
            url=displayed(url),
            target=displayed(target),
        )
    )


def _refuse(url: str, status: int) -> NoReturn:
    if status in (404, 410):
        raise ChatCorpusError(
            message(
                "{url}: the server has no such file ({status}); the origin may have moved: name another address with "
                "--from",
                url=displayed(url),
                status=status,
            )
        )
    raise _failed(url, message("the server refuses it ({status})", status=status))


def _failed(url: str, reason: str, kind: type[ChatCorpusError] = ChatCorpusError) -> ChatCorpusError:
    return kind(
        message(
            "{url}: cannot be downloaded: {reason}; run the same command again, or name a mirror, such as "
            '--from "https://mirror.example/{{url}}", or HF_ENDPOINT=https://mirror.example for the Hugging Face hub',
            url=displayed(url),
            reason=reason,
        )
    )


def _reason(error: Any, requests: Any) -> Message:
    """Return the reason why a request failed, as a message of chat-corpus."""
    status = getattr(error.response, "status_code", None)
    if status is not None:
        return message("the server answers {status}", status=status)
    kinds = requests.exceptions
    if isinstance(error, kinds.Timeout):
        return message("no answer within {seconds} seconds", seconds=TIMEOUT)
    if isinstance(error, kinds.SSLError):
        return message("the certificate of the server is not accepted")
    if isinstance(error, kinds.ProxyError):
        return message("the proxy does not answer")
    if isinstance(error, kinds.ChunkedEncodingError):
        return message("the connection broke off before the end of the file")
    if isinstance(error, kinds.ConnectionError):
        return message("no connection")
    return message("{error}", error=type(error).__name__)


def _from_hub(item: Item, staging: Path, progress: Progress) -> tuple[Path, RemoteFile]:
    """Download a file of a data set on the hub, as `transfer` does."""
    package = packages.hub()
    import httpx2
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError

    if constants.HF_HUB_OFFLINE:
        raise UnreachableError(message("HF_HUB_OFFLINE is set: unset it to download from the hub"))
    importlib.import_module("huggingface_hub.utils").disable_progress_bars()
    package.set_client_factory(lambda: _client(httpx2))
    revision = item.origin.revision or None
    url = package.hf_hub_url(
        item.origin.address, item.file.name, repo_type="dataset", revision=revision, endpoint=item.hub
    )
    kind: type[ChatCorpusError] = UnreachableError
    try:
        facts = package.get_hf_file_metadata(url, token=False, timeout=TIMEOUT, retry_on_errors=True)
        kind = ChatCorpusError
        remote = _known(item.file, facts)
        path = staging / f"{hashlib.sha256(f'{url} {facts.etag}'.encode()).hexdigest()[:16]}{INCOMPLETE}"
        _continued(url, path, remote, progress)
    except HfHubHTTPError as error:
        status = error.response.status_code
        if 400 <= status < 500 and status not in _TEMPORARY:
            _refuse(url, status)
        raise _failed(url, message("the server answers {status}", status=status)) from error
    except httpx2.TimeoutException as error:
        raise _failed(url, message("no answer within {seconds} seconds", seconds=TIMEOUT), kind) from error
    except httpx2.HTTPError as error:
        raise _failed(url, message("no connection"), kind) from error
    return path, remote


def _continued(url: str, path: Path, remote: RemoteFile, progress: Progress) -> None:
    """Download a file of the hub to `path`, and append to the bytes that are already there."""
    from huggingface_hub import file_download

    try:
        with path.open("ab") as stream:
            done = stream.tell()
            progress(done)
            counted: Any = _Counted(stream, url, remote.bytes, progress)
            file_download.http_get(url, counted, resume_size=done, expected_size=remote.bytes)
    except ChatCorpusError:
        path.unlink(missing_ok=True)
        raise
    except OSError as error:
        if error.errno is not None or hasattr(error, "response"):  # an error of the disk, or an answer of the server
            raise
        if remote.bytes is None or path.stat().st_size > remote.bytes:
            path.unlink()
        raise _failed(url, message("the connection broke off before the end of the file")) from error


def _client(httpx2: Any) -> Any:
    """Return an HTTP client for the hub that follows the redirects that `check_redirect` allows."""

    def check(answer: Any) -> None:
        if answer.has_redirect_location:
            check_redirect(str(answer.request.url), answer.headers.get("location", ""))

    return httpx2.Client(follow_redirects=True, timeout=TIMEOUT, event_hooks={"response": [check]})


def _known(file: RemoteFile, facts: Any) -> RemoteFile:
    """Return a file with the size and the digest that the hub states, unless they are known already."""
    etag = facts.etag or ""
    if not file.has_digest and _SHA256.fullmatch(etag):
        file = replace(file, sha256=etag)
    if not file.has_digest and _GIT_BLOB.fullmatch(etag):
        file = replace(file, git_blob=etag)
    return replace(file, bytes=facts.size) if file.bytes is None else file
