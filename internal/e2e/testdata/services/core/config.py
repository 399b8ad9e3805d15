from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="ORDERS_")
    host: str = "0.0.0.0"
    port: int = 8090
    redis_url: str = "redis://redis:6379/0"


settings = Settings()
