"""Settings from the environment; `docs/operating.md` lists each with default and meaning."""

from ipaddress import ip_network
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Read in main.py and cli.py only; everything else is handed what it needs."""

    model_config = SettingsConfigDict(env_prefix="WORKSHOP_", extra="ignore", frozen=True)

    database_url: str = Field("sqlite:///var/workshop.db", description="Where rows live: SQLite or PostgreSQL.")
    data_dir: Path = Field(Path("var"), description="Folder for the search index and the write lock.")
    ledger_key_file: Path | None = Field(None, description="The key that signs the ledger.")
    base_url: str = Field("http://127.0.0.1:8000", description="Address people open; links and cookies follow it.")
    site_name: str = Field("Message Workshop", description="Name shown at the top of every screen.")

    wait_routine: int = Field(12 * 3600, ge=0, description="Seconds a passing candidate waits before it is promoted.")
    wait_rapid: int | None = Field(None, ge=0, description="Seconds in rapid mode, instead of the three tiers by size.")
    neighbour_wait: int = Field(3600, ge=0, description="Seconds a candidate waits after its neighbour was approved.")
    rapid_lasts: int = Field(48 * 3600, ge=60, description="Seconds until rapid mode, and an approval in it, is over.")
    active_days: int = Field(14, ge=1, description="Days since last seen within which a member counts as active.")

    seasoning_hours: int = Field(72, ge=0, description="Hours after joining from which a newcomer's votes can count.")
    vouches: int = Field(2, ge=0, description="Members who have to vouch for a newcomer before their votes count.")
    chapter_days: int = Field(14, ge=0, description="Days after which a new chapter is counted by itself.")
    founders: int = Field(20, ge=1, description="The first members, whose votes count at once.")

    secret_key: SecretStr | None = Field(None, min_length=32, description="What the secrets of webhooks follow from.")
    webhook_networks: str = Field("", description="Networks that webhooks may reach although they are not public.")
    webhook_timeout: int = Field(15, ge=1, le=30, description="Seconds a webhook's receiver has to answer.")

    session_days: int = Field(30, ge=1, description="Days until a sign-in ends by itself.")
    invite_days: int = Field(14, ge=1, description="Days an invite link works.")
    writes_per_minute: int = Field(600, ge=60, description="Writes one member or address may make in a minute.")
    signins_per_minute: int = Field(10, ge=1, description="Failed sign-ins per name and address in a minute.")
    reads_per_minute: int = Field(
        1200, ge=60, description="Searches, diffs and histories a member may ask for a minute."
    )
    streams: int = Field(2000, ge=1, description="Live streams that one process keeps open.")
    streams_per_address: int = Field(100, ge=1, description="Live streams that one address may keep open.")
    pool_size: int = Field(20, ge=1, description="Database connections per process.")

    @field_validator("webhook_networks")
    @classmethod
    def _are_networks(cls, given: str) -> str:
        for part in filter(None, map(str.strip, given.split(","))):
            ip_network(part)
        return given
