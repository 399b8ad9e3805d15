from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, EmailStr

from ..config import Settings, get_settings
from ..security import hash_password

router = APIRouter(prefix="/users")


class User(BaseModel):
    email: EmailStr


@router.post("/")
async def create(user: User, settings: Settings = Depends(get_settings)):
    return {"email": user.email, "hash": hash_password("x")[:4], "service": settings.service_name}
